/** What the page and the worker that measures the network say to each other. */
import type { Finding } from "../../../core/participant/diagnosis/check-board.ts";
import type { CheckId, DiagnosisReport } from "../../../core/participant/diagnosis/diagnosis-report.ts";
import type { NetworkFindings } from "../../../core/participant/diagnosis/network-checks.ts";
import type { JoinQuestion } from "../../../core/participant/joining/gateway-join.ts";

/** The one message to the worker. */
export interface NetworkQuestion {
  question: JoinQuestion;
  client: string;
  /** As the page has it. */
  hasWebTransport: boolean;
}

export type FromNetworkWorker =
  | { type: "finding"; id: CheckId; finding: Finding }
  | { type: "progress"; share: number; timeline: DiagnosisReport["timeline"] }
  | { type: "done"; findings: NetworkFindings };
