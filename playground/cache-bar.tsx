import { useContext } from 'react'
import { type Answer, AnswerLogContext, useAnswersSeen } from './answer-log.ts'
import { cachePlugin } from './cache-panel.tsx'
import { describeCacheStatus } from './cache-status.ts'
import { formatTook } from './format-took.ts'
import { Verdict } from './verdict.tsx'

/** The line below the answer: where the newest answer came from, and a switch to ask for explanations. */
export function CacheBar() {
  const [newest] = useAnswersSeen().answers
  return (
    <div className="stet-bar" role="status">
      {newest !== undefined && <HowItCame answer={newest} />}
      <ExplainToggle />
    </div>
  )
}

function HowItCame({ answer: { headers, tookMs }, answer }: { readonly answer: Answer }) {
  const age = headers.get('Age')
  const asOf = headers.get('Stet-As-Of')
  const status = headers.get('Cache-Status')
  return (
    <>
      <Verdict answer={answer} />
      <span>{formatTook(tookMs)}</span>
      {status !== undefined && <span title={status}>{describeCacheStatus(status)}</span>}
      {age !== undefined && <span>{age} s old</span>}
      {asOf !== undefined && (
        <span>
          as of <code>{asOf}</code>
        </span>
      )}
    </>
  )
}

function ExplainToggle() {
  const log = useContext(AnswerLogContext)
  const { explaining } = useAnswersSeen()
  const toggle = (on: boolean) => {
    log.explain(on)
    // A click on its button is the only way to show a panel of GraphiQL. While it is shown, the button has another name.
    if (on) document.querySelector<HTMLElement>(`[aria-label="Show ${cachePlugin.title}"]`)?.click()
  }
  return (
    <label className="stet-explain" title="Ask for each answer how it came about. For admins.">
      <input type="checkbox" checked={explaining} onChange={({ target }) => toggle(target.checked)} />
      Explain
    </label>
  )
}
