import type { Random } from '../../../src/kernel/random.ts'

/** Ways to write an instant. Each is one that a tool takes or prints. */
export function writeDate(ms: number, random: Random): { readonly text: string; readonly isBare: boolean } {
  const at = new Date(ms).toISOString()
  const [day = '', clock = ''] = at.slice(0, 19).split('T')
  const [, month = '', date = ''] = day.split('-')
  const name = MONTHS[Number(month) - 1] ?? ''
  const offset = random.below(27) - 12
  const local = new Date(ms + offset * 3_600_000).toISOString().slice(0, 19)
  const zone = `${offset < 0 ? '-' : '+'}${String(Math.abs(offset)).padStart(2, '0')}`
  const bare = [`${day}T${clock}Z`, `${local}${zone}:00`, `${day} ${clock}Z`]
  const quoted = [
    `${day} ${clock}`,
    `${local.replace('T', ' ')} ${zone}00`,
    `${date} ${name} ${at.slice(0, 4)} ${clock} GMT`,
    `${name} ${Number(date)}, ${at.slice(0, 4)} ${clock}`,
    `${local.replace('T', ' ')} ${zone}00 CET`,
    String(ms / 1000),
    String(ms),
  ]
  const all = [...bare, ...quoted]
  const chosen = random.below(all.length)
  return { text: all[chosen] ?? '', isBare: chosen < bare.length }
}

const MONTHS = 'Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec'.split(' ')
