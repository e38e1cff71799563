import type { GraphiQLPlugin } from '@graphiql/react'
import { useContext } from 'react'
import { type Answer, AnswerLogContext, useAnswersSeen } from './answer-log.ts'
import { ExplanationView } from './explanation-view.tsx'
import { formatTook } from './format-took.ts'
import { Verdict } from './verdict.tsx'

export const cachePlugin: GraphiQLPlugin = { title: 'Cache', icon: CacheIcon, content: CachePanel }

/** Shows the present token and the last answers, with the newest one open. */
function CachePanel() {
  const { answers, asOf } = useAnswersSeen()
  return (
    <section className="stet-panel" aria-label="Cache">
      <h1>Cache</h1>
      {asOf !== undefined && <AsOf token={asOf} />}
      <h2>Answers</h2>
      {answers.length === 0 && <p className="stet-quiet">Run an operation to see how the cache took part in it.</p>}
      {answers.map((answer, index) => (
        <details key={answer.id} className="stet-answer" open={index === 0}>
          <summary>
            <span className="stet-operation">{answer.operation}</span>
            <Verdict answer={answer} />
            <span className="stet-took">{formatTook(answer.tookMs)}</span>
          </summary>
          <Headers answer={answer} />
          {answer.explanation && <ExplanationView explanation={answer.explanation} />}
        </details>
      ))}
    </section>
  )
}

function AsOf({ token }: { readonly token: string }) {
  const log = useContext(AnswerLogContext)
  return (
    <div className="stet-as-of">
      <p>
        Reading as of <code>{token}</code>{' '}
        <button type="button" className="stet-forget" onClick={() => log.forgetAsOf()}>
          Forget
        </button>
      </p>
      <p className="stet-quiet">Sent with every request, so that any node shows you your own writes.</p>
    </div>
  )
}

function Headers({ answer }: { readonly answer: Answer }) {
  return (
    <dl>
      {[...answer.headers].map(([name, value]) => (
        <div key={name}>
          <dt>{name}</dt>
          <dd>{value}</dd>
        </div>
      ))}
      <div>
        <dt>Answered</dt>
        <dd>
          {answer.at.toLocaleTimeString()}, HTTP {answer.status}
        </dd>
      </div>
    </dl>
  )
}

function CacheIcon() {
  return (
    <svg viewBox="0 0 20 20" fill="none" stroke="currentColor" strokeWidth="1.5" strokeLinejoin="round">
      <title>cache icon</title>
      <path d="M10 2.5 17.5 6.5 10 10.5 2.5 6.5Z" />
      <path d="M2.5 10 10 14 17.5 10" strokeLinecap="round" />
      <path d="M2.5 13.5 10 17.5 17.5 13.5" strokeLinecap="round" />
    </svg>
  )
}
