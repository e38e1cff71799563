/** What is at hand, or on its way. Whoever need not wait goes on at once: a promise for what is there costs more than the thing. */
export type PromiseOrValue<T> = T | Promise<T>

export const isPromise = <T>(value: PromiseOrValue<T>): value is Promise<T> =>
  typeof value === 'object' && value !== null && typeof (value as { readonly then?: unknown }).then === 'function'

/** `use` of `value`: now, where that is at hand. */
export const whenHere = <T, U>(value: PromiseOrValue<T>, use: (value: T) => PromiseOrValue<U>): PromiseOrValue<U> =>
  isPromise(value) ? value.then(use) : use(value)

/** All of `values`, once the last of them is here. */
export const allHere = <T>(values: readonly PromiseOrValue<T>[]): PromiseOrValue<readonly T[]> =>
  values.some(isPromise) ? Promise.all(values) : (values as readonly T[])
