/** Commits need to survive a killed process, not a lost machine, so nothing waits for the disk. */
const settings = {
  fsync: 'off',
  wal_level: 'replica',
  max_connections: '300',
  shared_buffers: '32MB',
  // Kept in the data directory, where a killed server's leftovers go when the directory does.
  dynamic_shared_memory_type: 'mmap',
  // A standby comes back 100 ms after its primary does, not 5 s.
  wal_retrieve_retry_interval: '100ms',
}

export function postgresArguments(more: Readonly<Record<string, string>> = {}): readonly string[] {
  return Object.entries({ ...settings, ...more }).flatMap(([name, value]) => ['-c', `${name}=${value}`])
}
