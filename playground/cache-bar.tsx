import { useGraphiQL, useGraphiQLActions } from '@graphiql/react'
import { useAnswersSeen } from './answer-log.ts'
import { cachePlugin } from './cache-panel.tsx'
import { formatTook } from './format-took.ts'
import { Verdict } from './verdict.tsx'

/** One line below the response: how the newest answer came about. Opens and closes the cache panel. */
export function CacheBar() {
  const [newest] = useAnswersSeen().answers
  const isPanelOpen = useGraphiQL((state) => state.visiblePlugin?.title === cachePlugin.title)
  const { setVisiblePlugin } = useGraphiQLActions()
  if (newest === undefined) return null

  const age = newest.headers.get('Age')
  const asOf = newest.headers.get('Stet-As-Of')
  return (
    <button
      type="button"
      className="stet-bar"
      title={isPanelOpen ? 'Hide the cache panel' : 'Show the cache panel'}
      onClick={() => setVisiblePlugin(isPanelOpen ? null : cachePlugin)}
    >
      <Verdict answer={newest} />
      <span>{formatTook(newest.tookMs)}</span>
      {age !== undefined && <span>{age} s old</span>}
      {asOf !== undefined && (
        <span>
          as of <code>{asOf}</code>
        </span>
      )}
    </button>
  )
}
