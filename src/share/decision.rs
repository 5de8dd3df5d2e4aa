//! A decision of the scheduler for others to read: as JSON, and as a table for spreadsheets.

use serde_json::{Value, json};

use crate::scheduler::Decision;
use crate::scheduler::preemption::priority;
use crate::sim::Instant;

/// All that is kept of a decision: of the `candidates`, which are nodes that the pod could have if the
/// `victims` went, the first one is where they are told to go.
pub fn as_json(decision: &Decision) -> Value {
    let nodes = decision.nodes.iter().map(|node| {
        let refusal = node
            .filtered_by
            .as_deref()
            .map(|(plugin, verdict)| json!({"plugin": plugin, "reasons": verdict.reasons}));
        let scores = node.scores.iter().map(|score| {
            json!({
                "plugin": score.plugin, "raw": score.raw, "normalized": score.normalized,
                "weight": score.weight, "weighted": score.weighted,
            })
        });
        json!({
            "node": &*node.node, "refusal": refusal, "scores": scores.collect::<Vec<_>>(),
            "total": node.total,
        })
    });
    let candidates = decision.candidates.iter().map(|candidate| {
        let victims = candidate.victims.iter().map(|victim| {
            let metadata = &victim.pod.metadata;
            json!({
                "namespace": metadata.namespace, "name": metadata.name, "uid": metadata.uid,
                "priority": priority(victim),
            })
        });
        json!({
            "node": &*candidate.node, "victims": victims.collect::<Vec<_>>(),
            "violations": candidate.violations,
        })
    });
    let (namespace, name) = &decision.pod;
    json!({
        "pod": {"namespace": &**namespace, "name": &**name, "uid": &*decision.uid},
        "at": seconds(decision.at),
        "node": decision.chosen.as_deref(),
        "message": decision.message.as_deref(),
        "tied": decision.tied,
        "feasible": decision.feasible,
        "refused": decision.refused,
        "nominated": decision.was_nominated,
        "candidates": candidates.collect::<Vec<_>>(),
        "nodes": nodes.collect::<Vec<_>>(),
    })
}

#[expect(clippy::cast_precision_loss, reason = "exact for the first 285 years")]
fn seconds(at: Instant) -> f64 {
    at.as_micros() as f64 / 1e6
}

/// A line for each node: whether it was chosen, who refused it and why, who would have to go, the total, and of
/// each plugin the raw, the normalized and the weighted score. Quoted as RFC 4180 says.
pub fn as_csv(decision: &Decision) -> String {
    let scored = decision.nodes.iter().find(|node| !node.scores.is_empty());
    let plugins: Vec<&str> =
        scored.iter().flat_map(|node| node.scores.iter()).map(|score| score.plugin).collect();
    let head = ["node", "chosen", "refused by", "reasons", "victims", "total"];
    let mut head = head.map(str::to_owned).to_vec();
    for plugin in &plugins {
        head.extend(["raw", "normalized", "weighted"].map(|of| format!("{plugin} {of}")));
    }
    let mut csv = line(&head);
    for node in decision.nodes.iter() {
        let (plugin, reasons) = match node.filtered_by.as_deref() {
            Some((plugin, verdict)) => (*plugin, verdict.reasons.join(", ")),
            None => ("", String::new()),
        };
        let fits = node.filtered_by.is_none();
        let chosen = decision.chosen.as_ref() == Some(&node.node);
        let mut cells = vec![
            node.node.to_string(),
            chosen.to_string(),
            plugin.to_owned(),
            reasons,
            victims(decision, &node.node).unwrap_or_default(),
            if fits { node.total.to_string() } else { String::new() },
        ];
        for score in &*node.scores {
            cells.extend([score.raw, score.normalized, score.weighted].map(|it| it.to_string()));
        }
        cells.resize(head.len(), String::new());
        csv += &line(&cells);
    }
    csv
}

/// The names of the pods that would have to leave a node.
fn victims(decision: &Decision, node: &str) -> Option<String> {
    let candidate = decision.candidates.iter().find(|candidate| *candidate.node == *node)?;
    let names = candidate.victims.iter().filter_map(|victim| victim.pod.metadata.name.as_deref());
    Some(names.collect::<Vec<_>>().join(" "))
}

fn line(cells: &[String]) -> String {
    let quoted = cells.iter().map(|cell| {
        if cell.contains([',', '"', '\r', '\n']) {
            format!("\"{}\"", cell.replace('"', "\"\""))
        } else {
            cell.clone()
        }
    });
    quoted.collect::<Vec<_>>().join(",") + "\r\n"
}

#[cfg(test)]
mod tests {
    use std::rc::Rc;

    use super::*;
    use crate::api::wire;
    use crate::scheduler::framework::Verdict;
    use crate::scheduler::node_info::PodInfo;
    use crate::scheduler::preemption::Candidate;
    use crate::scheduler::{NodeVerdict, Score};

    #[test]
    fn a_decision_becomes_a_table() {
        let score = |raw, normalized| Score {
            plugin: "A",
            raw,
            normalized,
            weight: 2,
            weighted: 2 * normalized,
        };
        let fits = |node: &str, raw, normalized| NodeVerdict {
            node: node.into(),
            filtered_by: None,
            scores: Rc::new([score(raw, normalized)]),
            total: 2 * normalized,
        };
        let mut verdict = Verdict::unschedulable("Insufficient cpu");
        verdict.reasons.push("\"much\"".into());
        let refused = NodeVerdict {
            node: "c".into(),
            filtered_by: Some(Rc::new(("B", verdict))),
            scores: Rc::default(),
            total: 0,
        };
        let victim =
            json!({"metadata": {"name": "old", "namespace": "default"}, "spec": {"priority": 7}});
        let victim: wire::Pod = serde_json::from_value(victim).unwrap();
        let victims = vec![Rc::new(PodInfo::new(Rc::new(victim.into())))];
        let candidate = Candidate::new("c".into(), victims, 1);
        let decision = Decision {
            pod: ("default".into(), "web".into()),
            uid: "u".into(),
            at: Instant::from_micros(1_500_000),
            message: None,
            nodes: vec![fits("a", 7, 100), fits("b", 3, 40), refused].into(),
            feasible: 2,
            refused: 1,
            chosen: Some("a".into()),
            was_nominated: false,
            candidates: vec![Rc::new(candidate)],
            tied: 1,
        };
        let lines = [
            "node,chosen,refused by,reasons,victims,total,A raw,A normalized,A weighted",
            "a,true,,,,200,7,100,200",
            "b,false,,,,80,3,40,80",
            "c,false,B,\"Insufficient cpu, \"\"much\"\"\",old,,,,",
        ];
        assert_eq!(as_csv(&decision), lines.map(|line| format!("{line}\r\n")).concat());
        let json = as_json(&decision);
        assert_eq!(json["at"], 1.5);
        assert_eq!(json["nodes"][2]["refusal"]["plugin"], "B");
        assert_eq!(json["nodes"][0]["scores"][0]["weighted"], 200);
        assert_eq!(json["nodes"][0]["scores"][0]["weight"], 2);
        assert_eq!(json["candidates"][0]["victims"][0]["priority"], 7);
        assert_eq!(json["candidates"][0]["violations"], 1);
    }
}
