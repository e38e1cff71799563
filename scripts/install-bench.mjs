// Installs the packages of bench/ if they are not there, or older than its lock.
import { execFileSync } from 'node:child_process'
import { statSync } from 'node:fs'

const bench = new URL('../bench/', import.meta.url)

if (changedAt('node_modules/.package-lock.json') < changedAt('package-lock.json')) {
  console.error('Installing what the benchmarks compare (npm ci --prefix bench) …')
  execFileSync('npm', ['ci', '--silent'], { cwd: bench, stdio: 'inherit' })
}

/** In milliseconds; 0 if there is no such file. */
function changedAt(name) {
  return statSync(new URL(name, bench), { throwIfNoEntry: false })?.mtimeMs ?? 0
}
