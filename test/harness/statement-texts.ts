/** The texts of the statements that PostgreSQL was asked to keep by a name: for whoever reads along on the way there. */
export class StatementTexts {
  readonly #texts = new Map<string, string>()

  /** A request, and after it the text of each statement that it only names. */
  spellOut(request: Buffer): string {
    const bytes = request.toString('latin1')
    for (const [, name = '', text = ''] of bytes.matchAll(PARSE)) this.#texts.set(name, text)
    return [bytes, ...[...bytes.matchAll(NAME)].map(([name]) => this.#texts.get(name) ?? '')].join('\n')
  }
}

/** The message that brings a statement, its name first. */
const PARSE = /P.{4}(stet_\d+_[\w-]{22})\0(.+?)\0/gs
const NAME = /stet_\d+_[\w-]{22}/g
