import type { Rendering } from './rendering.ts'
import { type RenderingOptions, RenderingThread } from './rendering-thread.ts'

/**
 * Renders bodies outside of the event loop: docs/decisions/0021 says why. Long texts have a thread of their own, so that a
 * short one never waits for them.
 */
export class MarkdownRenderer {
  readonly #short: RenderingThread
  readonly #long: RenderingThread

  constructor(options: RenderingOptions) {
    this.#short = new RenderingThread(options)
    this.#long = new RenderingThread(options)
  }

  /** See `renderMarkdown`. A text that takes too long is refused, too. @throws OVERLOADED if too much waits already */
  render(text: string): Promise<Rendering> {
    return (text.length > MAX_SHORT ? this.#long : this.#short).render(text)
  }

  /** Resolves once no thread runs. What is being rendered rejects. */
  async close(): Promise<void> {
    await Promise.all([this.#short.close(), this.#long.close()])
  }
}

/** In UTF-16 code units. The worst text of that length takes a tenth of a second. */
const MAX_SHORT = 20_000
