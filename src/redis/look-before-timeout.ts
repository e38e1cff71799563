import type { Redis } from 'ioredis'

/**
 * Makes a client read its socket once more before it fails a command by `commandTimeout`. Node runs timers before it reads
 * sockets: a process that was busy for longer than the time-out would blame Redis for its own delay. Returns the client.
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
