/** For NODE_OPTIONS: a process that believes it is so much later than it is. What only measures how long something takes is as ever. */
export const shiftedClock = (byMs: number): string => withClock(byMs, '')

/** The same, by as many milliseconds as the file says at the time. */
export const clockSetBy = (file: string): string => withClock(0, file)

const withClock = (byMs: number, file: string): string =>
  `--import=data:text/javascript,${encodeURIComponent(`(${shift})(${byMs}, ${JSON.stringify(file)})`).replaceAll("'", '%27')}`

/** Runs before anything else in a process of its own. */
function shift(byMs: number, file: string): void {
  const RealDate = Date
  let shownMs = byMs
  if (file !== '') {
    const { readFileSync } = process.getBuiltinModule('node:fs')
    setInterval(() => {
      shownMs = Number(readFileSync(file, 'utf8'))
    }, 20).unref()
  }
  const now = () => RealDate.now() + shownMs
  globalThis.Date = new Proxy(RealDate, {
    construct: (target, given, newTarget) => Reflect.construct(target, given.length > 0 ? given : [now()], newTarget),
    apply: () => new RealDate(now()).toString(),
    get: (target, name, receiver) => (name === 'now' ? now : Reflect.get(target, name, receiver)),
  })
}
