import type { Writable } from 'node:stream'
import { BatchError } from './batch-error.js'
import type { AuditEntry, AuditSink } from './sink.js'

/** Options of `streamSink`. */
export interface StreamSinkOptions {
  /**
   * Ends the stream when the server closes.
   * @default true
   */
  end?: boolean
}

/**
 * A sink that writes lines to a stream. An entry counts as stored when the stream has called back, which says as much
 * as the stream knows: handed to the pipe, the socket, or the next stream.
 *
 * @example
 * ```ts
 * import { createWriteStream } from 'node:fs'
 * import Fastify from 'fastify'
 * import audit, { streamSink } from 'fastify-audit-log'
 *
 * const app = Fastify()
 * await app.register(audit, {
 *   sinks: [{ name: 'copy', deliveryGuarantee: 'best-effort', sink: streamSink(createWriteStream('audit.copy.log')) }],
 * })
 * ```
 */
export function streamSink(stream: Writable, { end = true }: StreamSinkOptions = {}): AuditSink {
  return new StreamSink(stream, end)
}

/** The sink of `type: 'stdout'`. Stored means handed to the pipe; the stream is not ended. */
export function stdoutSink(): AuditSink {
  return new StreamSink(process.stdout, false)
}

class StreamSink implements AuditSink {
  /** The error that ended the stream; the next write reports it. Without a listener it would end the process. */
  private failure: Error | null = null

  constructor(
    private readonly stream: Writable,
    private readonly isEnded: boolean,
  ) {}

  async open(): Promise<void> {
    this.stream.on('error', this.onError)
  }

  write(batch: readonly AuditEntry[]): Promise<void> {
    const lines = `${batch.map(({ line }) => line).join('\n')}\n`
    return new Promise((resolve, reject) => {
      if (!this.stream.writable) {
        reject(new Error('the stream is closed', { cause: this.failure ?? undefined }))
        return
      }
      // When a stream ends in the middle of a batch, nobody knows how much of it was handed on.
      const onClose = (): void =>
        reject(new BatchError({ inDoubt: batch, cause: this.failure ?? new Error('the stream was closed') }))
      this.stream.once('close', onClose)
      this.stream.write(lines, (error) => {
        this.stream.off('close', onClose)
        if (error) reject(neverReached(error) ? error : new BatchError({ inDoubt: batch, cause: error }))
        else resolve()
      })
    })
  }

  close(): Promise<void> {
    return new Promise((resolve, reject) => {
      if (!this.isEnded || !this.stream.writable) {
        this.stream.off('error', this.onError)
        resolve()
        return
      }
      // Node passes the error that kept the stream from finishing; the listener stays for later errors.
      this.stream.end((error?: Error | null) => {
        if (error) reject(error)
        else resolve()
      })
    })
  }

  private readonly onError = (error: Error): void => {
    this.failure = error
  }
}

/** Whether the stream had ended before it was handed the batch. */
function neverReached(error: NodeJS.ErrnoException): boolean {
  return error.code === 'ERR_STREAM_DESTROYED' || error.code === 'ERR_STREAM_WRITE_AFTER_END'
}
