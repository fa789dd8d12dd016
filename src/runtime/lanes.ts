import type { Clock } from '../clock.js'
import { Delivery } from '../delivery/delivery.js'
import { Seal } from '../delivery/seal/seal.js'
import { sealable } from '../delivery/seal/sealable.js'
import { customFormat, type Format, jsonFormat } from '../event/draft.js'
import type { Envelope } from '../event/envelope.js'
import { rancherLine } from '../event/formats/rancher.js'
import type { SinkLogger } from '../logger.js'
import type { ResolvedSink } from '../options/parse.js'
import { fileSink } from '../sinks/file/file-sink.js'
import type { AuditSink } from '../sinks/sink.js'
import { stdoutSink } from '../sinks/stream.js'

/** Objects that all lanes of one runtime share. */
export interface LaneContext {
  readonly envelope: Envelope
  readonly log: SinkLogger
  readonly clock: Clock
}

/** Creates a sink's lane from its options. */
export function laneFor(sink: ResolvedSink, { envelope, log, clock }: LaneContext): Delivery {
  const { name, seal } = sink
  return new Delivery(sinkOf(sink), {
    name,
    enforced: sink.deliveryGuarantee === 'enforced',
    format: formatOf(sink),
    timeout: sink.timeout,
    maxQueue: sink.maxQueue,
    maxQueueBytes: sink.maxQueueBytes,
    log,
    lifecycle: envelope.lifecycle,
    seal: seal === null ? null : new Seal(seal, { sink: name, instance: envelope.instance, clock, log }),
  })
}

function formatOf({ format, seal }: ResolvedSink): Format {
  if (format === 'json') return jsonFormat
  if (format === 'rancher') return customFormat(rancherLine)
  return seal === null ? customFormat(format) : sealable(customFormat(format))
}

function sinkOf(sink: ResolvedSink): AuditSink {
  if (sink.type === 'file') return fileSink({ ...sink, sealed: sink.seal !== null })
  return sink.type === 'stdout' ? stdoutSink() : sink.sink
}
