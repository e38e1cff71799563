// `npm start`: builds what is not built or is older than its sources, then runs `stet` in this very process. There must be no
// process between npm and the server: npm sends SIGTERM to its child alone, and a shell would not pass it on.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readdirSync, rmSync, statSync } from 'node:fs'

const root = new URL('..', import.meta.url)
const parts = [
  {
    script: 'build:server',
    // The bundle holds packages, and names all that answers are made of: `scripts/code-fingerprints.mjs`.
    from: [
      'src',
      'schema',
      'scripts',
      'package-lock.json',
      'tsconfig.json',
      'tsconfig.build.json',
      'rolldown.config.mjs',
    ],
    to: 'dist/stet.js',
  },
  { script: 'build:playground', from: ['playground'], to: 'dist/playground/index.html' },
]

checkVersion(process.versions.node)
for (const { script, from, to } of parts) {
  if (newest(to) < Math.max(...from.map(newest))) await build(script, to)
}
await import('../dist/stet.js')

/** An older Node would end with a stack trace about something that it lacks. */
function checkVersion(version) {
  const [major, minor] = version.split('.').map(Number)
  if ((major === 20 && minor >= 19) || (major === 22 && minor >= 12) || major > 22) return
  console.error(`Stet needs Node ^20.19 or >=22.12. This is ${version}.`)
  process.exit(1)
}

/** When the newest file under a path was changed, in milliseconds; 0 if there is none. */
function newest(path) {
  const url = new URL(path, root)
  const entry = statSync(url, { throwIfNoEntry: false })
  if (!entry) return 0
  if (!entry.isDirectory()) return entry.mtimeMs
  return Math.max(
    ...readdirSync(url, { recursive: true }).map((name) => statSync(new URL(`${path}/${name}`, root)).mtimeMs),
  )
}

async function build(script, to) {
  console.error(`Building (npm run ${script}) …`)
  let stoppedBy
  const stop = (signal) => {
    stoppedBy = signal
    process.kill(-building.pid, 'SIGTERM')
  }
  process.once('SIGTERM', stop).once('SIGINT', stop)
  // A process group, so that a signal ends all of it.
  const building = spawn('npm', ['run', '--silent', script], {
    cwd: root,
    stdio: ['ignore', 'ignore', 'inherit'],
    detached: true,
  })
  const [code] = await once(building, 'close')
  process.off('SIGTERM', stop).off('SIGINT', stop)
  if (code === 0 && !stoppedBy) return
  // What is half written would be taken for built.
  rmSync(new URL(to, root), { force: true })
  if (stoppedBy) process.kill(process.pid, stoppedBy)
  else console.error(`It could not be built: \`npm run ${script}\` tells why.`)
  process.exit(1)
}
