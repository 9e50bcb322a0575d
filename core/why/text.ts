/** An answer as lines for a terminal: the cause first, then what proves it and what would help, then other findings. */
import { subjectText, type Answer, type Finding } from './finding.ts'

export function answerLines({ cause, findings, unread }: Answer): readonly string[] {
  const [first, ...others] = findings
  return [
    cause,
    ...(first === undefined ? [] : detailLines(first)),
    ...others.flatMap((finding) => ['', `also: ${subjectText(finding.about)} ${finding.because}`, ...detailLines(finding)]),
    ...(unread.length === 0 ? [] : ['', `you may not read ${unread.join(', ')}: what is said here knows nothing of them`]),
  ]
}

function detailLines({ sections }: Finding): readonly string[] {
  return sections.flatMap(({ title, lines }) => ['', `${title}:`, ...lines.flatMap((line) => line.split('\n')).map((line) => `  ${line}`)])
}
