import type { Answer } from './answer-log.ts'

const meanings: Readonly<Record<string, string>> = {
  HIT: 'Answered from the cache',
  MISS: 'Read from the database',
  STALE: 'Answered from the cache past its time to live, while it is refreshed',
  BYPASS: 'Read from the database, past the cache',
}

/** The answer's `X-Cache` as a coloured word, or its HTTP status if that is an error. */
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
