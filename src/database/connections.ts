import pg from 'pg'

/** Every connection of a process to PostgreSQL servers: where it must end, whatever its statements wait for, all can be cut. */
export class Connections {
  readonly #open = new Set<pg.Client>()
  #areCut = false

  /** A client that is among them from now on until it ends. */
  makeClient(options: pg.ClientConfig): pg.Client {
    const client = new pg.Client(options)
    this.add(client)
    return client
  }

  add(client: pg.Client): void {
    this.#open.add(client)
    client.once('end', () => this.#open.delete(client))
    // It is about to connect.
    if (this.#areCut) setImmediate(() => client.connection.stream.destroy())
  }

  /** Breaks them all, and whatever is made from now on: what was asked over them fails at once. */
  cut(): void {
    this.#areCut = true
    for (const client of this.#open) client.connection.stream.destroy()
  }
}
