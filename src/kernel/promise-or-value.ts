/**
 * A value, or a promise of one. Keeps cached reads synchronous: creating a promise costs more than the read. With `async` resolvers for
 * the author, the tags and the articles of nodes a request of `npm run bench -- peers --workloads cold` takes 20 % more CPU time.
 */
export type PromiseOrValue<T> = T | Promise<T>

/** True for promises of this project. A `then` is not looked for: that is slow for objects of many shapes (4 % of `cold`). */
export const isPromise = <T>(value: PromiseOrValue<T>): value is Promise<T> => value instanceof Promise

/** What `use` makes of `value`: at once if it is a value, later if it is a promise. */
export const nowOrLater = <T, U>(value: PromiseOrValue<T>, use: (value: T) => PromiseOrValue<U>): PromiseOrValue<U> =>
  isPromise(value) ? value.then(use) : use(value)

/** `Promise.all` for values and promises: at once if there is no promise among them. */
export function allNowOrLater<T>(values: readonly PromiseOrValue<T>[]): PromiseOrValue<readonly T[]> {
  for (const value of values) if (isPromise(value)) return Promise.all(values)
  return values as readonly T[]
}
