import pg from 'pg'

/** Every connection of this process to PostgreSQL. A process that must end in time can cut them all, whatever their statements wait for. */
export class Connections {
  readonly #open = new Set<pg.Client>()
  #areCut = false

  /** Makes a client, not connected yet, and adds it. */
  makeClient(options: pg.ClientConfig): pg.Client {
    const client = new pg.Client(options)
    this.add(client)
    return client
  }

  /** Keeps a client in mind until it ends. */
  add(client: pg.Client): void {
    this.#open.add(client)
    client.once('end', () => this.#open.delete(client))
    // It has no socket to destroy until it begins to connect, which it does after this.
    if (this.#areCut) setImmediate(() => client.connection.stream.destroy())
  }

  /** Breaks all connections, and those that are made later. Their statements fail at once, and may have been run. */
  cut(): void {
    this.#areCut = true
    for (const client of this.#open) client.connection.stream.destroy()
  }
}
