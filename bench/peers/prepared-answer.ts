import { readFileSync } from 'node:fs'

/** Bytes like those of Stet's answer, for contestants that do nothing but send. */
export function preparedAnswer(): { readonly body: Buffer; readonly headers: Readonly<Record<string, string>> } {
  const body = readFileSync(process.env.BENCH_ANSWER ?? '')
  return { body, headers: { ...headersLikeStets, 'content-length': String(body.length) } }
}

/** But for the length, and what Node adds by itself. The bench says so where Stet has come to send others. */
export const headersLikeStets = {
  'content-type': 'application/json; charset=utf-8',
  'cache-control': 'no-store',
  'stet-as-of': '10431.0123456789ab',
  'x-cache': 'HIT',
  'x-request-id': '7d9f4f8e-2b1c-4a55-9d0e-6f3a1c2b4d5e',
}
