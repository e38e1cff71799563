export function needsServers(suite: string): boolean
export function filesBehind(file: string): Set<string>
