// Builds what is not built, or older than its sources: so that `npm start` is quick the second time.
import { execFileSync } from 'node:child_process'
import { readdirSync, statSync } from 'node:fs'

const root = new URL('..', import.meta.url)
const parts = [
  {
    script: 'build:server',
    // What it uses is in the bundle, too.
    from: ['src', 'package-lock.json', 'tsconfig.json', 'tsconfig.build.json', 'rolldown.config.mjs'],
    to: 'dist/stet.js',
  },
  { script: 'build:playground', from: ['playground'], to: 'dist/playground/index.html' },
]

for (const { script, from, to } of parts) {
  if (newest(to) >= Math.max(...from.map(newest))) continue
  console.error(`Building (npm run ${script}) …`)
  execFileSync('npm', ['run', '--silent', script], { cwd: root, stdio: ['ignore', 'ignore', 'inherit'] })
}

/** When the newest file under a path was changed, in milliseconds; 0 where there is none. */
function newest(path) {
  const url = new URL(path, root)
  const entry = statSync(url, { throwIfNoEntry: false })
  if (!entry) return 0
  if (!entry.isDirectory()) return entry.mtimeMs
  return Math.max(
    ...readdirSync(url, { recursive: true }).map((name) => statSync(new URL(`${path}/${name}`, root)).mtimeMs),
  )
}
