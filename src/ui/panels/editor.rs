//! The manifest, what is wrong with it, and what came of it.

use std::rc::Rc;

use yew::{
    Callback, Html, MouseEvent, component, html, use_effect_with, use_memo, use_state, use_state_eq,
};

use super::super::engine::{Engine, PanelProps};
use super::super::i18n::Words;
use super::super::state::{Action, Selection};
use super::super::view::manifest::{self, CHECKED_LIVE, Plan, Problem};
use super::super::view::sending::{Sent, Summary, go_on, send};
use super::super::view::why::Why;
use super::dropped;
use super::inspector::why::WhyTable;
use super::manifest_field::{Jump, ManifestField};
use crate::api::Kind;
use crate::cluster::Cluster;
use crate::platform;
use crate::recording::import::{self, Import};

const KEPT_AS: &str = "manifest";
/// As many mistakes are listed.
const MOST_LISTED: usize = 20;

/// The manifest and what to do with it.
#[component]
pub fn EditorPanel(props: &PanelProps) -> Html {
    let PanelProps { engine, words, on_action, .. } = props;
    let text = use_state_eq(|| {
        let kept = platform::stored(KEPT_AS).filter(|text| !text.trim().is_empty());
        Rc::<str>::from(kept.unwrap_or_else(|| manifest::FIRST.to_owned()))
    });
    let sent = use_state(Rc::<[Sent]>::default);
    let refused = use_state_eq(Rc::<[Problem]>::default);
    let wanted = use_state_eq(|| false);
    // What would become of the Pod, asked by the person.
    let trial = use_state_eq(|| None::<Rc<Trial>>);
    // A cluster that the manifest is of, until the person has said whether it is to be taken over.
    let offered = use_state_eq(|| None::<Rc<Import>>);
    // Whether the scheduler has been given a configuration of the manifest.
    let configured = use_state_eq(|| false);
    let jump = use_state(|| None::<Jump>);

    // What was selected when the manifest was sent, until its first object is there.
    let awaited = use_state(|| None::<Option<Selection>>);

    let kinds = engine.look(Cluster::kinds);
    let live = use_memo((Rc::clone(&text), kinds), |(text, kinds)| {
        let worth_it = text.len() <= CHECKED_LIVE && !text.trim().is_empty();
        if worth_it { manifest::plan(text, kinds) } else { Plan::default() }
    });
    let exists = engine
        .look(|cluster| live.outgoing.iter().any(|object| manifest::is_in(object, cluster)))
        || live.scheduler.is_some();
    {
        let (engine, sent) = (engine.clone(), sent.clone());
        use_effect_with(props.seen, move |_| {
            if let Some(next) = go_on(&engine, &sent) {
                sent.set(next);
            }
        });
    }
    let outcome = Rc::new(Summary::of(engine, &sent));
    {
        // The new object is selected, unless the person has chosen something else meanwhile.
        let (on_action, selection) = (on_action.clone(), props.selection.clone());
        let awaited = awaited.clone();
        use_effect_with(outcome.first.clone(), move |first| {
            if let (Some(first), Some(before)) = (first, &*awaited) {
                if *before == selection {
                    on_action.emit(Action::Select(Some(first.clone())));
                }
                awaited.set(None);
            }
        });
    }
    let problems: Rc<Vec<Problem>> = {
        let after = if live.problems.is_empty() { &refused[..] } else { &[] };
        let all = live.problems.iter().chain(after).chain(&live.waiting).chain(&outcome.refused);
        Rc::new(all.take(MOST_LISTED).cloned().collect())
    };

    let change = {
        let (text, sent, refused) = (text.clone(), sent.clone(), refused.clone());
        let (configured, trial, offered) = (configured.clone(), trial.clone(), offered.clone());
        Callback::from(move |new: String| {
            configured.set(false);
            trial.set(None);
            offered.set(None);
            // What is longer was not written here, and may hold what is not to be kept.
            if new.len() <= CHECKED_LIVE {
                platform::store(KEPT_AS, &new);
            }
            text.set(new.into());
            sent.set(Rc::default());
            refused.set(Rc::default());
        })
    };
    {
        let (change, readonly) = (change.clone(), props.readonly);
        use_effect_with(readonly, move |readonly| {
            let listeners = (!readonly).then(|| dropped::watch(change));
            move || drop(listeners)
        });
    }
    let create = {
        let (engine, on_action, text) = (engine.clone(), on_action.clone(), text.clone());
        let selection = props.selection.clone();
        let (readonly, configured) = (props.readonly, configured.clone());
        let offered = offered.clone();
        Callback::from(move |()| {
            if readonly {
                return;
            }
            let plan = manifest::plan(&text, &engine.look(Cluster::kinds));
            refused.set(plan.problems.as_slice().into());
            if let Some(import) = plan.import {
                offered.set(Some(import));
                return;
            }
            if plan.problems.is_empty() {
                configured.set(plan.scheduler.is_some());
                if let Some(configuration) = plan.scheduler {
                    engine.change(|session| session.configure_scheduler(configuration));
                }
                sent.set(send(&engine, plan.outgoing));
                awaited.set(Some(selection.clone()));
                on_action.emit(Action::Play);
            }
        })
    };

    let try_it = {
        let (engine, live, trial) = (engine.clone(), Rc::clone(&live), trial.clone());
        Callback::from(move |_: MouseEvent| trial.set(tried(&engine, &live).map(Rc::new)))
    };
    let dismiss = {
        let trial = trial.clone();
        Callback::from(move |_: MouseEvent| trial.set(None))
    };

    let answer = {
        let (offered, on_action, change) = (offered.clone(), on_action.clone(), change.clone());
        Callback::from(move |takes: bool| {
            if let Some(import) = offered.as_ref().filter(|_| takes) {
                on_action.emit(Action::Import(Rc::clone(import)));
                // The values of Secrets go with the text.
                change.emit(manifest::FIRST.to_owned());
            }
            offered.set(None);
        })
    };

    let show = {
        let jump = jump.clone();
        Callback::from(move |line| {
            let wish = jump.map_or(0, |jump| jump.wish + 1);
            jump.set(Some(Jump { line, wish }));
        })
    };
    let first = change.reform(|_: MouseEvent| manifest::FIRST.to_owned());
    let turn = {
        let wanted = wanted.clone();
        Callback::from(move |()| wanted.set(true))
    };
    html! {
        <div class="editor" onpointerover={turn.reform(|_| ())} onfocusin={turn.reform(|_| ())}>
            <h2 class="editor-head">{ words.get("panel.editor") }</h2>
            <ManifestField text={Rc::clone(&text)} label={words.get("editor.label").to_string()}
                problems={Rc::clone(&problems)} jump={*jump} wanted={*wanted}
                on_change={change} on_submit={create.clone()} />
            { problem_list(&problems, words, &show) }
            { result(&outcome, *configured, words) }
            if !props.readonly {
            <div class="editor-bar">
                <button class="button editor-create" disabled={!live.problems.is_empty()}
                    onclick={create.reform(|_| ())}>
                    { words.get(if exists { "editor.apply" } else { "editor.create" }) }
                </button>
                if is_one_pod(&live) {
                    <button class="button editor-try" title={words.get("editor.try-what")}
                        onclick={try_it}>{ words.get("editor.try") }</button>
                }
                if **text != *manifest::FIRST {
                    <button class="button" onclick={first}>{ words.get("editor.first") }</button>
                }
                <kbd class="editor-hint">{ "Ctrl ↵" }</kbd>
            </div>
            }
            if let Some(import) = &*offered { { offer(&import.summary, words, &answer) } }
            if let Some(trial) = &*trial { { tried_card(trial, words, dismiss) } }
        </div>
    }
}

/// Asks whether a cluster is to take the place of this one.
fn offer(summary: &import::Summary, words: &Words, answer: &Callback<bool>) -> Html {
    let count = |count: usize| count.to_string();
    let what = [
        ("nodes", count(summary.nodes)),
        ("pods", count(summary.placed + summary.pending)),
        ("pending", count(summary.pending)),
        ("others", count(summary.others)),
    ];
    let what = what.each_ref().map(|(name, count)| (*name, count.as_str()));
    let left_out = summary.left_out.iter().map(|(what, count)| format!("{what} × {count}"));
    let left_out = left_out.collect::<Vec<_>>().join(", ");
    html! {
        <section class="editor-trial" aria-label={words.get("import.name")}>
            <h3 class="inspector-part">{ words.get("import.name") }</h3>
            <p>{ words.fill("import.what", &what) }</p>
            <p>{ words.get("import.how") }</p>
            if summary.secrets > 0 {
                <p>{ words.fill("import.secrets", &[("count", &count(summary.secrets))]) }</p>
            }
            if !left_out.is_empty() {
                <p>{ words.fill("import.left-out", &[("what", &left_out)]) }</p>
            }
            <div class="why-exports">
                <button class="button editor-create" onclick={answer.reform(|_| true)}>
                    { words.get("import.go") }
                </button>
                <button class="button" onclick={answer.reform(|_| false)}>
                    { words.get("delete.cancel") }
                </button>
            </div>
        </section>
    }
}

/// How a Pod that was tried came out, or why there is nothing to tell.
type Trial = Result<Why, String>;

fn is_one_pod(plan: &Plan) -> bool {
    matches!(&plan.outgoing[..], [only] if only.kind == Kind::Pod) && plan.problems.is_empty()
}

/// Tries the Pod of the manifest on a copy of the cluster.
fn tried(engine: &Engine, plan: &Plan) -> Option<Trial> {
    let manifest = plan.outgoing.first()?;
    Some(match engine.look(|cluster| cluster.what_if(&manifest.object)) {
        Ok(trial) => Ok(Why::with_helps(&trial.cluster, &trial.pod, trial.decision)),
        Err(error) => Err(error.to_string()),
    })
}

fn tried_card(trial: &Trial, words: &Words, dismiss: Callback<MouseEvent>) -> Html {
    let told = match trial {
        Ok(why) => {
            let title = match &why.decision.chosen {
                Some(node) => words.fill("editor.would", &[("node", node)]),
                None => words.get("editor.would-not").to_string(),
            };
            html! { <WhyTable why={why.clone()} {title} words={words.clone()} /> }
        }
        Err(why) => html! { <p role="alert">{ why.clone() }</p> },
    };
    html! {
        <section class="editor-trial" aria-label={words.get("editor.try")}>
            { told }
            <button class="button editor-dismiss" onclick={dismiss}>{ words.get("editor.dismiss") }</button>
        </section>
    }
}

fn problem_list(problems: &[Problem], words: &Words, show: &Callback<usize>) -> Html {
    let item = |problem: &Problem| {
        let line = problem.line;
        let said = words.fill("editor.line", &[("line", &line.to_string())]);
        html! {
            <li class="editor-problem">
                <button class="editor-line" onclick={show.reform(move |_| line)}>{ said }</button>
                { " " }{ problem.message.clone() }
            </li>
        }
    };
    if problems.is_empty() {
        return Html::default();
    }
    html! {
        <ul class="editor-problems" role="alert" aria-label={words.get("editor.problems")}>
            { for problems.iter().map(item) }
        </ul>
    }
}

fn result(outcome: &Summary, configured: bool, words: &Words) -> Html {
    let parts = [
        ("editor.created", outcome.created),
        ("editor.configured", outcome.configured),
        ("editor.unchanged", outcome.unchanged),
        ("editor.refused", outcome.failed),
    ];
    let parts = parts.into_iter().filter(|(_, count)| *count > 0).map(|(key, count)| {
        let count = words.fill("editor.count", &[("count", &count.to_string())]);
        words.fill(key, &[("object", outcome.only.as_ref().unwrap_or(&count))])
    });
    let configured = configured.then(|| words.get("editor.scheduler").to_string());
    let parts = configured.into_iter().chain(parts);
    let mut line = parts.collect::<Vec<_>>().join(&words.get("editor.and"));
    let waiting = outcome.sent - outcome.done();
    if waiting > 0 {
        line = words.fill(
            "editor.sending",
            &[("done", &outcome.done().to_string()), ("all", &outcome.sent.to_string())],
        );
    }
    html! { <p class="editor-result" role="status">{ line }</p> }
}
