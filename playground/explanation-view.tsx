import type { ReactNode } from 'react'
import type { ExplainedEntry, Explanation } from '../src/answers/explanation.ts'
import { formatTook } from './format-took.ts'

/** How an answer came about: as a whole, entry by entry, and what was asked of PostgreSQL and Redis. */
export function ExplanationView({ explanation }: { readonly explanation: Explanation }) {
  const { answer, entries, sql, redis, log } = explanation
  return (
    <div className="stet-explanation">
      <Part title="As a whole">
        <dl>
          <Row name="At hand" tone={answer.found.in === 'nowhere' ? 'quiet' : 'good'} word={answer.found.in}>
            {answer.found.because}
          </Row>
          <Row name="Kept" tone={answer.kept.kept ? 'good' : 'quiet'} word={answer.kept.why}>
            {answer.kept.because}
          </Row>
          {answer.policy !== null && (
            <Row name="Policy" word={answer.policy.scope}>
              maxAge {answer.policy.maxAge}
              {answer.policy.decidedBy.maxAge !== null && `, by ${answer.policy.decidedBy.maxAge}`}
              {answer.policy.decidedBy.scope !== null && `; private, by ${answer.policy.decidedBy.scope}`}
            </Row>
          )}
          {answer.sharedBy !== null && <Row name="Shared by">{SHARED_BY[answer.sharedBy]}</Row>}
          {answer.tags.length > 0 && (
            <Row name="Drops by">
              <Tags tags={answer.tags} />
            </Row>
          )}
        </dl>
      </Part>
      <Part title={`${entries.length} ${entries.length === 1 ? 'entry' : 'entries'}`}>
        {entries.map((entry) => (
          <EntryView key={`${entry.tier} ${entry.key}`} entry={entry} />
        ))}
      </Part>
      <Part title={`${sql.length} SQL ${sql.length === 1 ? 'statement' : 'statements'}`}>
        {sql.map(({ text, on, ms }, index) => (
          <details key={index} className="stet-line">
            <summary>
              <code>{text}</code>
              <span className="stet-took">{formatTook(ms)}</span>
            </summary>
            <p>
              <code>{text}</code>
            </p>
            <p className="stet-quiet">on the {on}</p>
          </details>
        ))}
      </Part>
      <Part title={`${redis.length} Redis ${redis.length === 1 ? 'round trip' : 'round trips'}`}>
        {redis.map(({ entries: asked, changes, ms }, index) => (
          <div key={index} className="stet-line">
            <span>
              {asked} asked for{changes > 0 && `, ${changes} changed by the way`}
            </span>
            <span className="stet-took">{formatTook(ms)}</span>
          </div>
        ))}
      </Part>
      <Part title="Log">
        <dl>
          <Row name="Position">
            {log.position} in {log.epoch}
          </Row>
          <Row name="Asked">{log.asked ?? 'for no position'}</Row>
        </dl>
      </Part>
    </div>
  )
}

function EntryView({ entry }: { readonly entry: ExplainedEntry }) {
  const { kind, key, tier, why, stale, exists, asOf, ageMs, ttlMs, tags } = entry
  return (
    <details className="stet-line">
      <summary>
        <code>
          {kind} {nameOf(key)}
        </code>
        <Chip tone={stale !== null ? 'warn' : tier === 'source' ? 'info' : 'good'}>{stale ?? tier}</Chip>
      </summary>
      <p>{why}</p>
      <dl>
        <Row name="As of">
          {asOf}
          {!exists && ', known not to exist'}
        </Row>
        <Row name="Age">{seconds(ageMs)}</Row>
        <Row name="Fresh">{ttlMs > 0 ? `for ${seconds(ttlMs)} more` : `until ${seconds(-ttlMs)} ago`}</Row>
        <Row name="Tags">
          <Tags tags={tags} />
        </Row>
        <Row name="Key">
          <code>{key}</code>
        </Row>
      </dl>
    </details>
  )
}

interface PartProps {
  readonly title: string
  readonly children: ReactNode
}

function Part({ title, children }: PartProps) {
  return (
    <section>
      <h3>{title}</h3>
      {children}
    </section>
  )
}

interface RowProps {
  readonly name: string
  readonly word?: string
  readonly tone?: Tone
  readonly children: ReactNode
}

function Row({ name, word, tone = 'quiet', children }: RowProps) {
  return (
    <div>
      <dt>{name}</dt>
      <dd>
        {word !== undefined && <Chip tone={tone}>{word}</Chip>} {children}
      </dd>
    </div>
  )
}

type Tone = 'good' | 'info' | 'warn' | 'quiet'

function Chip({ tone, children }: { readonly tone: Tone; readonly children: string }) {
  return <span className={`stet-verdict stet-verdict-${VERDICTS[tone]}`}>{children}</span>
}

function Tags({ tags }: { readonly tags: readonly string[] }) {
  return (
    <details className="stet-tags">
      <summary>
        {tags.length} {tags.length === 1 ? 'tag' : 'tags'}
      </summary>
      <code>{tags.join('  ')}</code>
    </details>
  )
}

const VERDICTS = { good: 'hit', info: 'miss', warn: 'stale', quiet: 'bypass' } as const

const SHARED_BY = {
  visitors: 'all visitors',
  'signed-in': 'everyone who is signed in',
  viewer: 'nobody: it is for this viewer alone',
} as const

/** What names an entry among its kind: `stet:1:article.aSYTnF0P:42` is 42. */
const nameOf = (key: string): string => decodeURIComponent(key.replace(/^.*?\.[\w-]{8}:/, ''))

const seconds = (ms: number): string => `${(ms / 1000).toFixed(ms < 10_000 ? 1 : 0)} s`
