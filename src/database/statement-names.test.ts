import { describe, expect, it } from '@jest/globals'
import { StatementNames } from './pool.ts'

const send = (names: StatementNames, text: string, times: number) =>
  Array.from({ length: times }, () => names.nameOf(text)).at(-1)

describe('StatementNames', () => {
  it('names what is sent again and again, each by a name of its own that stays', () => {
    const names = new StatementNames()
    expect(send(names, 'select $1', 2)).toBeUndefined()
    const name = names.nameOf('select $1')
    expect(name).toMatch(/^stet_0_[\w-]{22}$/)
    expect(names.nameOf('select $1')).toBe(name)
    expect(send(names, 'select $1 + 1', 3)).not.toBe(name)
  })

  it('gives no more names than servers can keep', () => {
    const names = new StatementNames({ maxNames: 1 })
    const name = send(names, 'select $1', 3)
    expect(send(names, 'select $1 + 1', 10)).toBeUndefined()
    expect(names.nameOf('select $1')).toBe(name)
  })

  it('gives other names once what servers keep is out of date', () => {
    const names = new StatementNames()
    const name = send(names, 'select $1', 3)
    names.renew()
    expect(send(names, 'select $1', 2)).toBeUndefined()
    expect(names.nameOf('select $1')).toMatch(/^stet_1_/)
    expect(names.nameOf('select $1')).not.toBe(name)
  })
})
