import { DiagLogLevel, diag, type Tracer } from '@opentelemetry/api';
import { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-http';
import {
  defaultResource,
  detectResources,
  envDetector,
  type Resource,
  resourceFromAttributes,
} from '@opentelemetry/resources';
import {
  BatchSpanProcessor,
  ParentBasedSampler,
  TraceIdRatioBasedSampler,
  TracerProvider,
} from '@opentelemetry/sdk-trace';
import type { Logger } from '../logger.js';
import { within } from '../within.js';

export type TracingConfig = {
  /** Where OTLP is taken by HTTP, without the path of traces. */
  endpoint: string;
  /** Which share of the traces that begin here is recorded, from 0 to 1; for others their callers decide. */
  ratio: number;
};

export type ExportOptions = TracingConfig & { version: string; logger: Logger };

/** Texts of statements are longer than anybody reads there. */
const longestText = 2_048;
const exportMilliseconds = 5_000;
/** How long the end of the gateway waits for what is not sent yet. */
const farewellMilliseconds = 1_000;
/** Whoever takes no traces is logged so often. */
const complaintMilliseconds = 60_000;

/** Sends spans away in batches; what cannot be sent is dropped, and keeps nobody waiting. */
export function openExport({
  endpoint,
  ratio,
  version,
  logger,
}: ExportOptions): AsyncDisposable & { tracer: Tracer } {
  complainTo(logger);
  const exporter = new OTLPTraceExporter({
    url: `${endpoint.replace(/\/$/, '')}/v1/traces`,
    timeoutMillis: exportMilliseconds,
  });
  const provider = new TracerProvider({
    resource: resourceOf(version),
    sampler: new ParentBasedSampler({ root: new TraceIdRatioBasedSampler(ratio) }),
    spanLimits: { attributeValueLengthLimit: longestText },
    spanProcessors: [new BatchSpanProcessor({ exporter })],
  });
  return {
    tracer: provider.getTracer('context-gateway', version),
    async [Symbol.asyncDispose]() {
      await within(farewellMilliseconds, provider.shutdown()).catch(() =>
        logger.warn('the last traces could not be sent in time'),
      );
    },
  };
}

/** What OTEL_SERVICE_NAME and OTEL_RESOURCE_ATTRIBUTES say comes last, and counts. */
function resourceOf(version: string): Resource {
  const own = resourceFromAttributes({ 'service.name': 'context-gateway', 'service.version': version });
  return defaultResource()
    .merge(own)
    .merge(detectResources({ detectors: [envDetector] }));
}

/** Its words may be those of whoever takes the traces: what they are about is enough. */
function complainTo(logger: Logger): void {
  let quietUntil = 0;
  const complain = () => {
    const now = performance.now();
    if (now < quietUntil) return;
    quietUntil = now + complaintMilliseconds;
    logger.warn('traces are lost: see whether OTEL_EXPORTER_OTLP_ENDPOINT takes OTLP by HTTP');
  };
  const quiet = () => {};
  diag.setLogger(
    { error: complain, warn: complain, info: quiet, debug: quiet, verbose: quiet },
    { logLevel: DiagLogLevel.WARN, suppressOverrideMessage: true },
  );
}
