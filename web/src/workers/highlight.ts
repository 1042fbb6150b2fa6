// Colours code away from the page's own thread. Answers with HTML, which the page cleans like any other from outside.
import hljs from 'highlight.js/lib/common';

declare const self: DedicatedWorkerGlobalScope;

self.onmessage = (event: MessageEvent<{ source: string; language: string }>) => {
  const { source, language } = event.data;
  self.postMessage(
    hljs.getLanguage(language) ? hljs.highlight(source, { language, ignoreIllegals: true }).value : null,
  );
};
