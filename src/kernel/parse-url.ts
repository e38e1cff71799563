/**
 * The URL that `text` is. Undefined if it is none.
 *
 * HAZARD: `URL.canParse` of Node 20 says no to letters such as `ü` once V8 has compiled what calls it, after some thousand calls.
 *
 * @example parseUrl('https://bücher.example/')?.hostname // xn--bcher-kva.example
 */
export function parseUrl(text: string): URL | undefined {
  try {
    return new URL(text)
  } catch {
    return undefined
  }
}
