/** For NODE_OPTIONS: a process that believes it is so much later than it is. What only measures how long something takes is as ever. */
export const shiftedClock = (byMs: number): string =>
  `--import=data:text/javascript,${encodeURIComponent(`(${shift})(${byMs})`).replaceAll("'", '%27')}`

/** Runs before anything else in a process of its own. */
function shift(byMs: number): void {
  const RealDate = Date
  const now = () => RealDate.now() + byMs
  globalThis.Date = new Proxy(RealDate, {
    construct: (target, given, newTarget) => Reflect.construct(target, given.length > 0 ? given : [now()], newTarget),
    apply: () => new RealDate(now()).toString(),
    get: (target, name, receiver) => (name === 'now' ? now : Reflect.get(target, name, receiver)),
  })
}
