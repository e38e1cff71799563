/**
 * A value, or a promise of one. Keeps cached reads synchronous: creating a promise costs more than the read. An execution of the
 * bench's workload `cold` took a fifth to a quarter more CPU time with `async` resolvers (measured without HTTP).
 */
export type PromiseOrValue<T> = T | Promise<T>

/** True for promises of this project. A `then` is not looked for, because that is slow for objects of many shapes. */
export const isPromise = <T>(value: PromiseOrValue<T>): value is Promise<T> => value instanceof Promise

/** What `use` makes of `value`: at once if it is a value, later if it is a promise. */
export const nowOrLater = <T, U>(value: PromiseOrValue<T>, use: (value: T) => PromiseOrValue<U>): PromiseOrValue<U> =>
  isPromise(value) ? value.then(use) : use(value)

/** `Promise.all` for values and promises: at once if there is no promise among them. */
export function allNowOrLater<T>(values: readonly PromiseOrValue<T>[]): PromiseOrValue<readonly T[]> {
  for (const value of values) if (isPromise(value)) return Promise.all(values)
  return values as readonly T[]
}
