import { FIRST_YEAR } from '../kernel/ranges.ts'

/**
 * Turns a date of front matter into ISO 8601 with a time zone. Returns undefined if the text is not a date, or names a day
 * that does not exist. Without a zone the date is in UTC; without a time it is midnight.
 *
 * Reads `2024-01-02`, `2024/1/2`, `2024-01-02 10:20:30 +0100` (Jekyll), ISO 8601 with up to microseconds,
 * `Jul 8 2022` and `July 8th, 2022` (Astro), RFC 2822, and what Go and JavaScript print: `Tue Jan 2 15:04:05 MST 2024`,
 * `2024-01-02 15:04:05 +0100 CET`, `Tue Jan 02 2024 15:04:05 GMT+0100 (CET)`. Not `01/02/2024`, which is two dates.
 */
export function parseDate(text: string): string | undefined {
  if (text.length > MAX_LENGTH) return undefined
  const match = ISO.exec(plainZone(numbered(text.trim())))
  if (!match?.groups) return undefined
  const { year = '', month = '', day = '', hour = '0', minute = '0', second = '0', fraction = '', zone } = match.groups
  const date = new Date(0)
  // Not `Date.UTC`, which takes the years 0 to 99 for 1900 to 1999.
  date.setUTCFullYear(+year, +month - 1, +day)
  date.setUTCHours(+hour, +minute, +second)
  const exists =
    +year >= FIRST_YEAR &&
    date.getUTCFullYear() === +year &&
    date.getUTCMonth() === +month - 1 &&
    date.getUTCDate() === +day &&
    +hour < 24 &&
    +minute < 60 &&
    +second < 60
  const offset = offsetOf(zone)
  return exists && offset !== undefined ? `${date.toISOString().slice(0, 19)}${fraction}${offset}` : undefined
}

/** Twice the longest date that is read. */
const MAX_LENGTH = 100

const ISO =
  /^(?<year>\d{4})[-/](?<month>\d{1,2})[-/](?<day>\d{1,2})(?:(?:t|\s+)(?<hour>\d{1,2}):(?<minute>\d{2})(?::(?<second>\d{2})(?<fraction>\.\d{1,9})?)?\s*(?<zone>z|utc|gmt|[+-]\d{2}(?::?\d{2})?)?)?$/i

/** Takes away what only repeats the offset, and turns a zone's name into its offset. */
function plainZone(text: string): string {
  return text
    .replace(/\s*\([^()]*\)$|\[[^[\]]*\]$/, '')
    .replace(/(?<=:\d{2}\s)(?:gmt|utc)(?=[+-]\d)/i, '')
    .replace(/(?<=[+-]\d{4}) [a-z]{2,5}$/i, '')
    .replace(/(?<=:\d{2}(?:\.\d+)? ?)[a-z]{3}$/i, (name) => ZONES.get(name.toUpperCase()) ?? name)
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

function offsetOf(zone = 'z'): string | undefined {
  if (/^[a-z]/i.test(zone)) return 'Z'
  const hours = zone.slice(0, 3)
  const minutes = zone.slice(3).replace(':', '') || '00'
  return Number(hours.slice(1)) <= 14 && Number(minutes) < 60 ? `${hours}:${minutes}` : undefined
}

/** Turns `Tue, 8 Jul 2022 …` and `July 8th, 2022 …` into `2022-7-8…`. Returns any other text unchanged. */
function numbered(text: string): string {
  const found = DAY_FIRST.exec(text) ?? MONTH_FIRST.exec(text) ?? YEAR_LAST.exec(text)
  const { day, name, year, time = '', zone = '' } = found?.groups ?? {}
  const month = MONTHS.findIndex((full) => name && name.length >= 3 && full.startsWith(name.toLowerCase())) + 1
  return month > 0 ? `${year}-${month}-${day}${time}${zone}` : text
}

const DAY_FIRST =
  /^(?:[a-z]+,?\s+)?(?<day>\d{1,2})(?:st|nd|rd|th)?\s+(?<name>[a-z]+)[.,]?\s+(?<year>\d{4})(?<time>.*)$/i
const MONTH_FIRST =
  /^(?:[a-z]+,?\s+)?(?<name>[a-z]+)\.?\s+(?<day>\d{1,2})(?:st|nd|rd|th)?,?\s+(?<year>\d{4})(?<time>.*)$/i

/** As C, Unix and Ruby print it: `Tue Jan  2 15:04:05 MST 2024`. */
const YEAR_LAST =
  /^(?:[a-z]+,?\s+)?(?<name>[a-z]+)\s+(?<day>\d{1,2})(?<time>\s+[\d:]+)(?<zone>\s+[a-z]{3,4}|\s+[+-]\d{4})?\s+(?<year>\d{4})$/i

const MONTHS = 'january february march april may june july august september october november december'.split(' ')
