import { expect, it } from '@jest/globals'
import type { Answer, Event, History, Observation, RowState } from '../history/history.ts'
import { checkHistory } from './check-history.ts'
import { describeViolation } from './describe-violation.ts'

/** The log: article 5 gets a title at 10, another at 20; article 6 is a draft of user 1 from 12 on; tag 7 is taken off 5 at 30. */
const first = { id: 5, slug: 'five', title: 'w1 first', status: 'PUBLISHED', author_id: 2, version: 1 }
const second = { ...first, title: 'w2 second', version: 2 }
const draft = { id: 6, slug: 'six', title: 'w3 draft', status: 'DRAFT', author_id: 1, version: 1 }
const writes = [
  write('tags:7', { id: 7, slug: 'seven', description: '' }, 5),
  write('articles:5', first, 10),
  write('article_stats:5', { views: 0 }, 10),
  write('article_tags:5,7', {}, 10),
  write('articles:6', draft, 12),
  write('articles:5', second, 20),
  write('article_stats:5', { views: 2 }, 25),
  write('article_tags:5,7', null, 30),
  write('article_stats:6', { views: 0 }, 12),
  write('articles:6', null, 40),
  write('article_stats:6', null, 40),
  write('users:4', { id: 4, username: 'late', display_name: 'w9 late' }, 50),
]

it('finds nothing wrong with what is right', () => {
  expect(
    kinds([
      answer({ token: 15, observed: [row('articles:5', first)] }),
      answer({ sent: 15, token: 20, observed: [row('articles:5', second)] }),
      // Nobody said that this one has to know.
      answer({ client: 'bob', token: 12, observed: [row('articles:5', first)] }),
      answer({ viewer: 1, sent: 12, token: 12, observed: [row('articles:6', draft)] }),
      answer({ sent: 12, token: 12, observed: [row('articles:6', null)] }),
      answer({
        sent: 19,
        token: 20,
        observed: [list([5], {}), count(1, {}), list([5], { tagId: 7 }), count(1, { tagId: 7 })],
      }),
      answer({ sent: 30, token: 30, observed: [list([], { tagId: 7 }), count(0, { tagId: 7 })] }),
      answer({ viewer: 'admin', sent: 20, token: 20, observed: [list([5, 6], {}), count(2, {})] }),
      answer({ sent: 12, token: 30, observed: [name('five', 5), name('six', null), name('none', null)] }),
      answer({ token: 50, write: { mark: 'w9' }, observed: [row('users:4', { display_name: 'w9 late' })] }),
      answer({ token: 50, write: { deletes: 'articles:6' }, observed: [row('articles:6', null)] }),
      answer({ write: { mark: 'w100' }, error: refused('SLUG_TAKEN') }),
      answer({ write: { mark: 'w101' }, error: open('OUTCOME_UNKNOWN') }),
      answer({ write: { mark: 'w2' }, error: open('NETWORK') }),
      answer({ token: 50, write: { views: 5 } }),
      answer({ token: 50, write: { views: 5 }, error: open('OVERLOADED') }),
    ]),
  ).toEqual([])
})

it('finds an answer that is older than its token', () => {
  expect(kinds([answer({ sent: 20, token: 22, observed: [row('articles:5', first)] })])).toEqual([
    'older than its token',
  ])
})

it('finds an answer that is older than what the same client was shown, though the token does not tell', () => {
  const knowing = answer({ token: 20, observed: [row('articles:5', second)] })
  expect(kinds([knowing, answer({ sent: 15, token: 25, observed: [row('articles:5', first)] })])).toEqual([
    'older than seen',
  ])
  // Without a token it is owed nothing.
  expect(kinds([knowing, answer({ token: 25, observed: [row('articles:5', first)] })])).toEqual([])
})

it('finds an answer that is older than what somebody else was shown, whose token the client took over', () => {
  const anns = answer({ token: 20, observed: [row('articles:5', second)] })
  const bobs = answer({ client: 'bob', sent: 15, token: 25, observed: [row('articles:5', first)] })
  expect(kinds([anns, bobs])).toEqual([])
  expect(kinds([anns, { is: 'adoption', client: 'bob', from: 'ann' }, bobs])).toEqual(['older than seen'])
})

it('finds an answer that misses what the same node had acknowledged when it was asked', () => {
  const acknowledged = answer({ token: 20, write: { mark: 'w2' } })
  const read = { client: 'bob', token: 20, observed: [row('articles:5', first)] }
  expect(kinds([acknowledged, answer({ ...read, after: 1 })])).toEqual(['older than acknowledged'])
  expect(kinds([acknowledged, answer({ ...read, after: 0 })])).toEqual([])
  expect(kinds([acknowledged, answer({ ...read, after: 1, node: 'node 2' })])).toEqual([])
})

it('finds an answer whose token does not cover what it shows, and one whose token went back', () => {
  expect(kinds([answer({ token: 19, observed: [row('articles:5', second)] })])).toEqual(['beyond its token'])
  expect(kinds([answer({ token: 19, write: { mark: 'w2' } })])).toEqual(['beyond its token'])
  expect(kinds([answer({ sent: 20, token: 19 })])).toEqual(['token went back'])
})

it('finds what the database never held, and what the viewer may not see', () => {
  const mixed = { ...first, version: 2 }
  expect(kinds([answer({ token: 50, observed: [row('articles:5', mixed)] })])).toEqual(['never written'])
  expect(kinds([answer({ token: 30, observed: [row('articles:6', draft)] })])).toEqual(['never written'])
  expect(kinds([answer({ token: 30, viewer: 2, observed: [row('articles:6', draft)] })])).toEqual(['never written'])
})

it('finds what was deleted and appears again, and what is gone and was not deleted', () => {
  const admin = { viewer: 'admin', sent: 40, token: 50 } as const
  expect(kinds([answer({ ...admin, observed: [row('articles:6', draft)] })])).toEqual(['older than its token'])
  expect(kinds([answer({ ...admin, observed: [list([5, 6], {})] })])).toEqual(['older than its token'])
  expect(kinds([answer({ ...admin, observed: [name('six', 6)] })])).toEqual(['older than its token'])
  expect(kinds([answer({ ...admin, observed: [row('articles:5', null)] })])).toEqual(['older than its token'])
  expect(kinds([answer({ ...admin, observed: [list([], {})] })])).toEqual(['older than its token'])
  expect(kinds([answer({ ...admin, observed: [name('five', null)] })])).toEqual(['older than its token'])
})

it('finds lists and counts that are of no moment they may be of', () => {
  expect(kinds([answer({ sent: 30, token: 40, observed: [list([5], { tagId: 7 })] })])).toEqual([
    'older than its token',
  ])
  expect(kinds([answer({ sent: 30, token: 40, observed: [count(1, { tagId: 7 })] })])).toEqual(['older than its token'])
  expect(kinds([answer({ token: 9, observed: [list([5], {})] })])).toEqual(['beyond its token'])
  // It was another version of the same row meanwhile, and in the list all the time.
  expect(kinds([answer({ sent: 15, token: 25, observed: [list([], {})] })])).toEqual(['older than its token'])
  const tags: Observation = { of: 'list', selection: { table: 'tags', articleId: 5 }, ids: [7], complete: true }
  expect(kinds([answer({ sent: 30, token: 30, observed: [tags] })])).toEqual(['older than its token'])
  // Part of a list lacks nothing.
  expect(kinds([answer({ sent: 20, token: 20, observed: [{ ...list([], {}), complete: false }] })])).toEqual([])
})

it('finds an answer whose parts were never there at once', () => {
  // The tag was taken off after the second title was given, so the first title goes with the tag alone.
  const torn = [row('articles:5', first), list([], { tagId: 7 })]
  expect(kinds([answer({ token: 35, observed: torn })])).toEqual(['of several moments'])
  expect(kinds([answer({ token: 35, observed: [row('articles:5', second), list([], { tagId: 7 })] })])).toEqual([])
  expect(kinds([answer({ token: 35, observed: [row('articles:5', first), count(1, { tagId: 7 })] })])).toEqual([])
  expect(kinds([answer({ token: 35, observed: [row('articles:5', first), count(0, { tagId: 7 })] })])).toEqual([
    'of several moments',
  ])
  const tag = row('tags:7', { id: 7, slug: 'seven', description: '' })
  expect(
    kinds([answer({ token: 50, observed: [tag, row('users:4', null), row('articles:6', draft)], viewer: 1 })]),
  ).toEqual([])
  expect(
    kinds([
      answer({ token: 50, observed: [tag, row('users:4', { username: 'late' }), row('articles:6', draft)], viewer: 1 }),
    ]),
  ).toEqual(['of several moments'])
})

it('says how a count changed around an answer that has another', () => {
  const [violation] = checkHistory(
    history([...twoViews, answer({ sent: 35, token: 40, observed: [count(1, { tagId: 7 })] })]),
  )
  expect(violation?.message).toMatch(/counts 1, and it was 0 from 35 to 40: .*1 from 10 on, 0 from 30 on/)
})

it('finds writes that were acknowledged and are gone', () => {
  expect(kinds([answer({ token: 50, write: { mark: 'w100' } })])).toEqual(['lost write'])
  expect(kinds([answer({ write: { mark: 'w100' }, error: open('WRITE_UNCONFIRMED') })])).toEqual(['lost write'])
  expect(kinds([answer({ token: 50, write: { deletes: 'articles:5' } })])).toEqual(['lost write'])
})

it('finds writes that were refused for good and are there', () => {
  expect(kinds([answer({ write: { mark: 'w2' }, error: refused('UNAVAILABLE') })])).toEqual(['made though refused'])
})

it('finds views that were counted twice, and views that were lost', () => {
  const view = answer({ token: 50, write: { views: 5 } })
  const unsure = answer({ write: { views: 5 }, error: open('TIMEOUT') })
  const limited = answer({ write: { views: 5 }, error: refused('RATE_LIMITED') })
  expect(checkHistory(history([view, view]))).toEqual([])
  expect(checkHistory(history([view, unsure]))).toEqual([])
  expect(checkHistory(history([unsure, unsure, unsure]))).toEqual([])
  expect(checkHistory(history([view, limited])).map(({ kind }) => kind)).toEqual(['view counted twice'])
  expect(checkHistory(history([view, view, view])).map(({ kind }) => kind)).toEqual(['lost view'])
  // A deleted article takes along what was not counted yet.
  expect(checkHistory(history([view, view, answer({ token: 50, write: { views: 6 } })]))).toEqual([])
  // What was counted before the run began is none of its business.
  expect(checkHistory({ ...history([]), from: 25 })).toEqual([])
})

it('takes writes that were given their position at once for one, and knows that all were made', () => {
  const inOne = [write('tags:8', { slug: 'a' }, 60), write('tags:8', { slug: 'b' }, 60)]
  const both = { ...history([]), writes: [...writes, ...inOne], epochs: [{ epoch: 'e', last: 60 }] }
  const of = (slug: string) => [...twoViews, answer({ token: 60, observed: [row('tags:8', { slug })] })]
  expect(checkHistory({ ...both, events: of('b') })).toEqual([])
  const titled = ['w10 a', 'w11 b'].map((description) => write('tags:8', { description }, 60))
  const made = answer({ token: 60, write: { mark: 'w10' } })
  expect(checkHistory({ ...both, writes: [...writes, ...titled], events: [...twoViews, made] })).toEqual([])
  expect(checkHistory({ ...both, events: of('a') }).map(({ kind }) => kind)).toEqual(['never written'])
})

it('judges a token of a lost history by what survived of it, and an answer from there not at all', () => {
  const epochs = [
    { epoch: 'e', last: 15 },
    { epoch: 'f', last: 50 },
  ]
  const read = (sent: string, observed: Observation[]) => ({ ...answer({ token: 50, observed }), sent, token: '50.f' })
  const check = (event: Event) => checkHistory({ ...history([...twoViews, event]), epochs }).map(({ kind }) => kind)
  expect(check(read('99.e', [row('articles:5', first)]))).toEqual([])
  expect(check(read('99.e', [row('articles:5', null)]))).toEqual(['older than its token'])
  expect(check(answer({ token: 99, observed: [row('articles:5', { title: 'lost' })] }))).toEqual([])
})

it('judges an answer from before a loss only if its token survived, though the epoch went on', () => {
  const lost: Event = { is: 'loss', ends: [{ epoch: 'e', last: 15 }], atMs: 0 }
  const beyond = answer({ token: 20, observed: [row('articles:5', { title: 'lost' })] })
  const within = answer({ token: 15, observed: [row('articles:5', { title: 'lost' })] })
  expect(kinds([beyond, lost])).toEqual([])
  expect(kinds([within, lost])).toEqual(['never written'])
  expect(kinds([lost, beyond])).toEqual(['never written'])
})

it('tells what led to it', () => {
  const events = [
    { is: 'fault', what: 'Redis is killed', atMs: 150 } as const,
    answer({ sent: 20, token: 22, observed: [row('articles:5', first)] }),
  ]
  const [violation] = checkHistory(history([...twoViews, ...events]))
  if (!violation) throw new Error('nothing was found')
  const text = describeViolation(violation, history([...twoViews, ...events]))
  expect(text).toContain('OLDER THAN ITS TOKEN: articles:5: that was overwritten at 20')
  expect(text).toContain('WRITTEN at 20: articles:5 {"id":5,"slug":"five","title":"w2 second"')
  expect(text).toContain('FAULT: Redis is killed')
  expect(text).toContain('>>> ann (visitor) asked node 1, with 20.e')
})

function write(of: string, state: RowState, position: number) {
  return { row: of, state, position, atMs: position * 10 }
}

function row(of: string, state: RowState): Observation {
  return { of: 'row', row: of, state }
}

function list(ids: number[], conditions: object) {
  return { of: 'list', selection: { table: 'articles', ...conditions }, ids, complete: true } as const
}

function count(of: number, conditions: object): Observation {
  return { of: 'count', selection: { table: 'articles', ...conditions }, count: of }
}

function name(slug: string, id: number | null): Observation {
  return { of: 'name', table: 'articles', column: 'slug', value: slug, id }
}

const refused = (code: string) => ({ code, message: '', open: false })
function open(code: string) {
  return { code, message: '', open: true }
}

function answer({
  sent,
  token,
  ...parts
}: Partial<Omit<Answer, 'sent' | 'token'>> & { sent?: number; token?: number }): Answer {
  return {
    is: 'answer',
    asked: '',
    field: '',
    client: 'ann',
    viewer: 'visitor',
    node: 'node 1',
    startedAtMs: 200,
    endedAtMs: 210,
    after: 0,
    observed: [],
    ...(sent !== undefined && { sent: `${sent}.e` }),
    ...(token !== undefined && { token: `${token}.e` }),
    ...parts,
  }
}

/** What the views in the log are due to. */
const twoViews = [1, 2].map(() => answer({ client: 'counter', write: { views: 5 } }))

function history(events: readonly Event[]): History {
  return { writes, epochs: [{ epoch: 'e', last: 50 }], events, from: 0 }
}

function kinds(events: readonly Event[]): string[] {
  const hasViews = events.some((event) => event.is === 'answer' && event.write?.views !== undefined)
  // Those who count views come last: `after` counts from the first event.
  return checkHistory(history(hasViews ? events : [...events, ...twoViews])).map(({ kind }) => kind)
}
