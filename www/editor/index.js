// The manifest editor: CodeMirror for YAML, loaded when somebody turns to it. It knows nothing of the
// cluster: text goes in and out, problems come in by line. Its colours are the page's own.
import { closeBrackets, closeBracketsKeymap } from "@codemirror/autocomplete";
import { defaultKeymap, history, historyKeymap } from "@codemirror/commands";
import { yaml } from "@codemirror/lang-yaml";
import { bracketMatching, HighlightStyle, indentUnit, syntaxHighlighting } from "@codemirror/language";
import { setDiagnostics } from "@codemirror/lint";
import { highlightSelectionMatches, search, searchKeymap } from "@codemirror/search";
import { EditorState } from "@codemirror/state";
import { drawSelection, EditorView, highlightActiveLine, keymap, lineNumbers } from "@codemirror/view";
import { tags } from "@lezer/highlight";

const colours = HighlightStyle.define([
  { tag: [tags.propertyName, tags.definition(tags.propertyName)], class: "editor-key" },
  { tag: [tags.string, tags.special(tags.string)], class: "editor-string" },
  { tag: [tags.comment, tags.lineComment], class: "editor-comment" },
  { tag: [tags.meta, tags.separator, tags.punctuation], class: "editor-mark" },
]);

/**
 * Shows an editor in `parent`.
 *
 * @param {Element} parent
 * @param {string} text what it begins with
 * @param {number | undefined} caret where the person already is in it, if they are
 * @param {string} label what it is called for those who do not see it
 * @param {(text: string) => void} onChange after each change
 * @param {() => void} onSubmit on Ctrl-Enter
 */
export function mount(parent, text, caret, label, onChange, onSubmit) {
  const submit = () => (onSubmit(), true);
  const view = new EditorView({
    parent,
    state: EditorState.create({
      doc: text,
      extensions: [
        lineNumbers(),
        history(),
        drawSelection(),
        indentUnit.of("  "),
        EditorState.tabSize.of(2),
        bracketMatching(),
        closeBrackets(),
        highlightActiveLine(),
        highlightSelectionMatches(),
        search({ top: true }),
        yaml(),
        syntaxHighlighting(colours),
        // Tab is left to the page, so that nobody who uses the keyboard is caught in here.
        keymap.of([
          { key: "Mod-Enter", run: submit, preventDefault: true },
          { key: "Ctrl-Enter", run: submit, preventDefault: true },
          ...closeBracketsKeymap,
          ...defaultKeymap,
          ...searchKeymap,
          ...historyKeymap,
        ]),
        EditorView.contentAttributes.of({ "aria-label": label, spellcheck: "false" }),
        EditorView.updateListener.of((update) => {
          if (update.docChanged) onChange(update.state.doc.toString());
        }),
      ],
    }),
  });

  if (caret !== undefined) {
    view.dispatch({ selection: { anchor: Math.min(caret, view.state.doc.length) } });
    view.focus();
  }

  return {
    /** Replaces the whole text, which can be undone. */
    setText(text) {
      if (text === view.state.doc.toString()) return;
      view.dispatch({ changes: { from: 0, to: view.state.doc.length, insert: text } });
    },

    /** Marks the lines in `json`, a list of `{line, column, message}`; those before are unmarked. */
    setProblems(json) {
      const doc = view.state.doc;
      const diagnostics = JSON.parse(json).map(({ line, column, message }) => {
        const at = doc.line(Math.min(Math.max(line, 1), doc.lines));
        const from = Math.min(at.from + Math.max(column - 1, 0), at.to);
        return { from: from === at.to ? at.from : from, to: at.to, severity: "error", message };
      });
      view.dispatch(setDiagnostics(view.state, diagnostics));
    },

    /** Goes to a line. */
    show(line) {
      const at = view.state.doc.line(Math.min(Math.max(line, 1), view.state.doc.lines));
      view.dispatch({ selection: { anchor: at.from }, scrollIntoView: true });
      view.focus();
    },

    destroy() {
      view.destroy();
    },
  };
}
