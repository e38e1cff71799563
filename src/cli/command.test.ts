import { Writable } from 'node:stream'
import { describe, expect, it } from '@jest/globals'
import { withProgress } from './command.ts'

describe('withProgress', () => {
  it('draws nothing before the total is known', async () => {
    const terminal = new Terminal(true)
    await withProgress(
      'Importing',
      async (onProgress) => {
        expect(terminal.text).toBe('')
        onProgress({ done: 0, total: 3 })
        expect(terminal.text).toMatch(/Importing .* 0\/3 /)
        onProgress({ done: 3, total: 3 })
      },
      terminal,
    )
    expect(terminal.text).toMatch(/ 3\/3 /)
    expect(terminal.text).not.toMatch(/ \d\/0 /)
  })

  it('draws nothing at all if there is no progress', async () => {
    const terminal = new Terminal(true)
    expect(await withProgress('Importing', async () => 7, terminal)).toBe(7)
    expect(terminal.text).toBe('')
  })

  it('draws nothing if there is no terminal', async () => {
    const terminal = new Terminal(false)
    await withProgress('Importing', async (onProgress) => onProgress({ done: 1, total: 3 }), terminal)
    expect(terminal.text).toBe('')
  })

  it('leaves the signals of the process alone', async () => {
    const listeners = () => ['SIGINT', 'SIGTERM'].map((signal) => process.listenerCount(signal))
    const before = listeners()
    await withProgress(
      'Importing',
      async (onProgress) => {
        onProgress({ done: 0, total: 3 })
        expect(listeners()).toEqual(before)
      },
      new Terminal(true),
    )
  })
})

/** Keeps what is written to it. */
class Terminal extends Writable {
  readonly isTTY: boolean
  text = ''

  constructor(isTTY: boolean) {
    super()
    this.isTTY = isTTY
  }

  override _write(chunk: unknown, _encoding: BufferEncoding, done: () => void): void {
    this.text += String(chunk)
    done()
  }
}
