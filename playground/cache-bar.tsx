import { useAnswersSeen } from './answer-log.ts'
import { formatTook } from './format-took.ts'
import { Verdict } from './verdict.tsx'

/** One line below the response: how the newest answer came about. */
export function CacheBar() {
  const [newest] = useAnswersSeen().answers
  if (newest === undefined) return null

  const age = newest.headers.get('Age')
  const asOf = newest.headers.get('Stet-As-Of')
  return (
    <div className="stet-bar" role="status">
      <Verdict answer={newest} />
      <span>{formatTook(newest.tookMs)}</span>
      {age !== undefined && <span>{age} s old</span>}
      {asOf !== undefined && (
        <span>
          as of <code>{asOf}</code>
        </span>
      )}
      <code>{newest.headers.get('Cache-Status')}</code>
    </div>
  )
}
