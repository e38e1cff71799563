import { expect, it } from '@jest/globals'
import { ManualClock } from '../../../test/models/manual-clock.ts'
import { ClientError } from '../../kernel/errors.ts'
import { type Allowance, Allowances, type AllowancesOptions } from './allowances.ts'

/** 1,000 at once, and 10 again each second. A request without a price takes 100. */
function make(mode: AllowancesOptions['mode'] = 'enforce') {
  const clock = new ManualClock()
  const exceeded: string[] = []
  const observer = { onExceeded: (told: string) => exceeded.push(told) }
  const allowances = new Allowances({ mode, max: 1000, perSecond: 10, prefix: '', clock, observer })
  const open = (client = 'a'): Allowance => allowances.open(client) as Allowance
  const spend = (cost: number, client = 'a') => {
    const allowance = open(client)
    allowance.price(cost)
    allowance.close()
    return allowance.left()
  }
  return { clock, exceeded, open, spend }
}

function refusal(run: () => unknown): unknown {
  try {
    run()
  } catch (error) {
    return error instanceof ClientError ? error.extensions : error
  }
  return undefined
}

it('takes what a request costs, and gives it back with time, up to what there is at once', () => {
  const { clock, spend } = make()
  expect(spend(300)).toBe(700)
  expect(spend(300)).toBe(400)
  clock.advance(10_000)
  expect(spend(0)).toBe(500)
  clock.advance(3_600_000)
  expect(spend(1)).toBe(999)
})

it('lets a client in while anything is left, and refuses it from then on until something is again', () => {
  const { clock, spend, exceeded } = make()
  spend(999)
  spend(201)
  const headers = new Map([
    ['ratelimit-policy', '"cost";q=1000;w=100'],
    ['ratelimit', '"cost";r=0;t=120'],
    ['retry-after', '21'],
  ])
  expect(refusal(() => spend(1))).toEqual({ code: 'RATE_LIMITED', http: { status: 429, headers } })
  clock.advance(20_000)
  expect(refusal(() => spend(1))).toMatchObject({ code: 'RATE_LIMITED' })
  expect(exceeded).toEqual(['enforce', 'enforce'])
  clock.advance(1000)
  expect(refusal(() => spend(1))).toBeUndefined()
})

it('counts each client by itself', () => {
  const { spend } = make()
  spend(2000, 'a')
  expect(refusal(() => spend(1, 'a'))).toBeDefined()
  expect(spend(1, 'b')).toBe(999)
})

it('lets nobody fall further below nothing than there is at once', () => {
  const { clock, spend } = make()
  spend(1_000_000)
  clock.advance(100_100)
  expect(refusal(() => spend(1))).toBeUndefined()
})

it('holds 100 for a request until its price is known, so that many at once are not all let in', () => {
  const { open } = make()
  const opened = Array.from({ length: 10 }, () => open())
  expect(refusal(() => open())).toMatchObject({ code: 'RATE_LIMITED' })
  for (const allowance of opened) allowance.price(1)
  expect(open().left()).toBe(890)
})

it('takes 100 for what turns out to have no price, and nothing for what is waived', () => {
  const { open } = make()
  open().close()
  expect(open().left()).toBe(800)
  const waived = open()
  waived.waive()
  waived.close()
  expect(waived.left()).toBe(800)
})

it('takes nothing for what is made once the request is over', () => {
  const { open } = make()
  const allowance = open()
  allowance.waive()
  allowance.close()
  allowance.price(500)
  expect(allowance.left()).toBe(1000)
})

it('refuses nothing when it only measures', () => {
  const { spend, exceeded, open } = make('measure')
  spend(2000)
  expect(spend(1)).toBe(0)
  expect(open().headers()).toEqual({ 'ratelimit-policy': '"cost";q=1000;w=100', ratelimit: '"cost";r=0;t=200' })
  expect(exceeded).toEqual(['measure', 'measure'])
})
