import { FIRST_YEAR, LAST_YEAR } from '../kernel/ranges.ts'

/**
 * Turns a date of front matter into ISO 8601 with a time zone, to the microsecond. Returns undefined if the text is not a date, names a day
 * that does not exist, lies outside of the years 1 to 9999 (in UTC), or could be two dates: `01/02/2024`, `20240102`, `2024`.
 * Without a zone the date is in UTC; without a time it is midnight.
 *
 * Reads `2024-01-02`, `2024/1/2`, `2024-01`, `2024-01-02 10:20:30 +0100` (Jekyll), ISO 8601, `Jul 8 2022` and `July 8th, 2022 3:04 PM` (Astro),
 * RFC 822, 850 and 2822, what Go and JavaScript print (`Tue Jan 2 15:04:05 MST 2024`, `2024-01-02 15:04:05 +0100 CET`,
 * `Tue Jan 02 2024 15:04:05 GMT+0100 (CET)`), and Unix time: seconds with 9 to 11 digits (Hugo), milliseconds with 12 to 15 (Astro, Next).
 */
export function parseDate(text: string): string | undefined {
  if (text.length > MAX_LENGTH) return undefined
  const plain = text.trim()
  if (/^\d{9,15}$/.test(plain)) return isoOf(Number(plain) * (plain.length < 12 ? 1000 : 1))
  const date = DATE.exec(withoutZoneName(numbered(plain)))?.groups
  const time = date?.time === undefined ? {} : TIME.exec(date.time)?.groups
  return date && time && fromParts({ ...date, ...time })
}

/** Twice the longest date that is read. */
const MAX_LENGTH = 100

const DATE = /^(?<year>\d{4})(?<mark>[-/])(?<month>\d{1,2})(?:\k<mark>(?<day>\d{1,2})(?<time>\D.*)?)?$/
const TIME =
  /^(?:t|,?\s+(?:at\s+)?)(?<hour>\d{1,2}):(?<minute>\d{2})(?::(?<second>\d{2})(?:[.,](?<fraction>\d{1,9}))?)?(?:\s*(?<half>[ap])\.?m\.?)?\s*(?<zone>z|utc|gmt|(?:utc|gmt)?[+-]\d{1,2}(?::?\d{2})?)?$/i

type Parts = Readonly<Record<string, string | undefined>>

function fromParts({
  year,
  month,
  day = '1',
  hour = '0',
  minute = '0',
  second = '0',
  fraction = '',
  half,
  zone,
}: Parts) {
  const date = new Date(0)
  date.setUTCFullYear(Number(year), Number(month) - 1, Number(day))
  const hours = half === undefined ? Number(hour) : hourOfDay(Number(hour), half)
  const exists =
    date.getUTCMonth() === Number(month) - 1 &&
    date.getUTCDate() === Number(day) &&
    hours < 24 &&
    Number(minute) < 60 &&
    Number(second) < 60
  const offset = offsetOf(zone)
  if (!exists || offset === undefined) return undefined
  date.setUTCHours(hours, Number(minute), Number(second))
  if (isoOf(date.getTime() - offset.minutes * 60_000) === undefined) return undefined
  return `${date.toISOString().slice(0, 19)}${fraction && `.${fraction.slice(0, 6)}`}${offset.text}`
}

/** An hour from 12 AM to 11 PM. NaN for 0 and 13. */
function hourOfDay(hour: number, half: string): number {
  return hour < 1 || hour > 12 ? Number.NaN : (hour % 12) + (half.toLowerCase() === 'p' ? 12 : 0)
}

/** Undefined for an instant outside of the years that the tables hold. */
function isoOf(ms: number): string | undefined {
  return ms >= FIRST_MS && ms <= LAST_MS ? new Date(ms).toISOString().replace('.000Z', 'Z') : undefined
}

const FIRST_MS = new Date(0).setUTCFullYear(FIRST_YEAR, 0, 1)
const LAST_MS = new Date(0).setUTCFullYear(LAST_YEAR + 1, 0, 1) - 1

function offsetOf(zone = 'z'): { readonly text: string; readonly minutes: number } | undefined {
  const {
    sign,
    hours = '',
    minutes = '00',
  } = /(?<sign>[+-])(?<hours>\d{1,2}?):?(?<minutes>\d{2})?$/.exec(zone)?.groups ?? {}
  if (!sign) return { text: 'Z', minutes: 0 }
  if (Number(hours) > 14 || Number(minutes) > 59) return undefined
  const total = Number(hours) * 60 + Number(minutes)
  return { text: `${sign}${hours.padStart(2, '0')}:${minutes}`, minutes: sign === '-' ? -total : total }
}

/** Takes away what only repeats an offset, and turns a zone's name into its offset. A place without an offset stays, so that it isn't taken for UTC. */
function withoutZoneName(text: string): string {
  return text
    .replace(/\s+m=[+-][\d.]+$/, '')
    .replace(/(?<=(?:z|[+-]\d{2}:?\d{2})\s*)(?:\([^()]*\)|\[[^[\]]*\])$/i, '')
    .replace(/(?<=[+-]\d{2}:?\d{2}) [a-z]{2,5}$/i, '')
    .replace(/(?<=:\d{2}(?:\.\d+)? ?)[a-z]{3}$/i, (name) => ZONES.get(name.toUpperCase()) ?? name)
    .trimEnd()
}

/** The names that RFC 2822 has for them. Any others mean different things to different people. */
const ZONES = new Map([
  ['EST', '-0500'],
  ['EDT', '-0400'],
  ['CST', '-0600'],
  ['CDT', '-0500'],
  ['MST', '-0700'],
  ['MDT', '-0600'],
  ['PST', '-0800'],
  ['PDT', '-0700'],
])

/** Turns `Tue, 8 Jul 2022 …` and `July 8th, 2022 …` into `2022-7-8…`. Returns any other text unchanged. */
function numbered(text: string): string {
  const basic = /^(\d{4})(\d{2})(\d{2}T\d{2})(\d{2})(\d{2})?(?=\D|$)/i.exec(text)
  if (basic) {
    const [whole, year, month, dayAndHour = '', minute, second = '00'] = basic
    return `${year}-${month}-${dayAndHour.slice(0, 2)}T${dayAndHour.slice(3)}:${minute}:${second}${text.slice(whole.length)}`
  }
  const found = DAY_FIRST.exec(text) ?? MONTH_FIRST.exec(text) ?? YEAR_LAST.exec(text)
  const { day, name, year = '', time = '', zone = '' } = found?.groups ?? {}
  const month = MONTHS.findIndex((full) => name && name.length >= 3 && full.startsWith(name.toLowerCase())) + 1
  return month > 0 ? `${fullYear(year)}-${month}-${day}${time}${zone}` : text
}

/** Go has 1969 for 69, RFC 2822 has 1950 for 50. What they disagree about stays as it is, and is no date. */
function fullYear(year: string): string {
  if (year.length !== 2 || (year >= '50' && year < '69')) return year
  return year < '50' ? `20${year}` : `19${year}`
}

const WEEKDAY = '^(?:(?:mon|tue|wed|thu|fri|sat|sun)[a-z]*,?\\s+)?'
const DAY_FIRST = new RegExp(
  `${WEEKDAY}(?<day>\\d{1,2})(?:st|nd|rd|th)?(?:\\s+|-)(?<name>[a-z]+)(?:[.,]?\\s+|-)(?<year>\\d{4}|\\d{2}(?=\\s+\\d{1,2}:))(?<time>\\D.*)?$`,
  'i',
)
const MONTH_FIRST = new RegExp(
  `${WEEKDAY}(?<name>[a-z]+)\\.?\\s+(?<day>\\d{1,2})(?:st|nd|rd|th)?,?\\s+(?<year>\\d{4})(?<time>\\D.*)?$`,
  'i',
)

/** As C, Unix and Ruby print it: `Tue Jan  2 15:04:05 MST 2024`. */
const YEAR_LAST = new RegExp(
  `${WEEKDAY}(?<name>[a-z]+)\\s+(?<day>\\d{1,2})(?<time>\\s+[\\d:]+)(?<zone>\\s+[a-z]{3,4}|\\s+[+-]\\d{4})?\\s+(?<year>\\d{4})$`,
  'i',
)

const MONTHS = 'january february march april may june july august september october november december'.split(' ')
