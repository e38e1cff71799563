interface TimedResponse {
  readonly response: Response
  readonly tookMs: number
}

/**
 * Fetches, waits for the whole body, and measures the time from sending to the last byte. Uses the browser's own timing of
 * the transfer if there is one, because a busy page adds up to 20 ms to a time that is measured here.
 */
export async function timedFetch(input: RequestInfo | URL, init: RequestInit): Promise<TimedResponse> {
  // The browser records no more than 250 transfers.
  performance.clearResourceTimings()
  const sentAt = performance.now()
  const response = await fetch(input, init)
  await response.clone().arrayBuffer()
  const readAt = performance.now()

  for (const transfer of performance.getEntriesByName(response.url, 'resource')) {
    if (transfer instanceof PerformanceResourceTiming && transfer.startTime >= sentAt && transfer.requestStart > 0) {
      return { response, tookMs: transfer.responseEnd - transfer.requestStart }
    }
  }
  return { response, tookMs: readAt - sentAt }
}
