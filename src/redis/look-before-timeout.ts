import type { Redis } from 'ioredis'

/**
 * Makes a client look once more whether a reply has come before it fails a command with its `commandTimeout`. Timers run
 * before sockets are read: a process that was busy for longer than that, with a thousand requests at once, would take its
 * own delay for Redis's. Returns the client.
 */
export function lookBeforeTimeout<Client extends Redis>(redis: Client): Client {
  const sendCommand = redis.sendCommand.bind(redis)
  redis.sendCommand = (command, stream) => {
    command.setTimeout = (ms) => {
      const fail = () => {
        if (!command.isResolved) command.reject(new Error('Command timed out'))
      }
      const timer = setTimeout(() => setImmediate(fail), ms)
      const cancel = () => clearTimeout(timer)
      command.promise.then(cancel, cancel)
    }
    return sendCommand(command, stream)
  }
  return redis
}
