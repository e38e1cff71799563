/** A value, or a promise of one. Keeps cached reads synchronous: creating a promise costs more than the read. */
export type PromiseOrValue<T> = T | Promise<T>

export const isPromise = <T>(value: PromiseOrValue<T>): value is Promise<T> =>
  typeof value === 'object' && value !== null && typeof (value as { readonly then?: unknown }).then === 'function'

/** What `use` makes of `value`: at once if it is a value, later if it is a promise. */
export const whenHere = <T, U>(value: PromiseOrValue<T>, use: (value: T) => PromiseOrValue<U>): PromiseOrValue<U> =>
  isPromise(value) ? value.then(use) : use(value)

/** `Promise.all` for values and promises: at once if there is no promise among them. */
export const allHere = <T>(values: readonly PromiseOrValue<T>[]): PromiseOrValue<readonly T[]> =>
  values.some(isPromise) ? Promise.all(values) : (values as readonly T[])
