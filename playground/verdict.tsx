import type { Answer } from './answer-log.ts'

const meanings: Readonly<Record<string, string>> = {
  HIT: 'Answered from the cache',
  MISS: 'Read from the database',
  STALE: 'Answered from the cache past its time to live, while it is refreshed',
  BYPASS: 'The cache was not asked',
}

/** The answer's `X-Cache` in one coloured word, or its HTTP status when that is news. */
export function Verdict({ answer }: { readonly answer: Answer }) {
  if (answer.status >= 400) return <span className="stet-verdict stet-verdict-failed">{answer.status}</span>
  const word = answer.headers.get('X-Cache')
  if (word === undefined) return null
  return (
    <span className={`stet-verdict stet-verdict-${word.toLowerCase()}`} title={meanings[word]}>
      {word}
    </span>
  )
}
