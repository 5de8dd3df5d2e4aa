//! A decision of the scheduler for others to read: as JSON, and as a table for spreadsheets.

use serde_json::{Value, json};

use crate::scheduler::Decision;
use crate::sim::Instant;

/// All that is kept of a decision.
pub fn as_json(decision: &Decision) -> Value {
    let nodes = decision.nodes.iter().map(|node| {
        let refusal = node
            .filtered_by
            .as_deref()
            .map(|(plugin, verdict)| json!({"plugin": plugin, "reasons": verdict.reasons}));
        let scores = node.scores.iter().map(|score| {
            json!({
                "plugin": score.plugin, "raw": score.raw, "normalized": score.normalized,
                "weighted": score.weighted,
            })
        });
        json!({
            "node": &*node.node, "refusal": refusal, "scores": scores.collect::<Vec<_>>(),
            "total": node.total,
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
        "nodes": nodes.collect::<Vec<_>>(),
    })
}

#[expect(clippy::cast_precision_loss, reason = "exact for the first 285 years")]
fn seconds(at: Instant) -> f64 {
    at.as_micros() as f64 / 1e6
}

/// A line for each node: whether it was chosen, who refused it and why, the total, and of each plugin
/// the raw, the normalized and the weighted score. Quoted as RFC 4180 says.
pub fn as_csv(decision: &Decision) -> String {
    let scored = decision.nodes.iter().find(|node| !node.scores.is_empty());
    let plugins: Vec<&str> =
        scored.iter().flat_map(|node| node.scores.iter()).map(|score| score.plugin).collect();
    let mut head = ["node", "chosen", "refused by", "reasons", "total"].map(str::to_owned).to_vec();
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
    use crate::scheduler::framework::Verdict;
    use crate::scheduler::{NodeVerdict, Score};

    #[test]
    fn a_decision_becomes_a_table() {
        let score =
            |raw, normalized| Score { plugin: "A", raw, normalized, weighted: 2 * normalized };
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
        let decision = Decision {
            pod: ("default".into(), "web".into()),
            uid: "u".into(),
            at: Instant::from_micros(1_500_000),
            message: None,
            nodes: vec![fits("a", 7, 100), fits("b", 3, 40), refused].into(),
            feasible: 2,
            refused: 1,
            chosen: Some("a".into()),
            tied: 1,
        };
        let lines = [
            "node,chosen,refused by,reasons,total,A raw,A normalized,A weighted",
            "a,true,,,200,7,100,200",
            "b,false,,,80,3,40,80",
            "c,false,B,\"Insufficient cpu, \"\"much\"\"\",,,,",
        ];
        assert_eq!(as_csv(&decision), lines.map(|line| format!("{line}\r\n")).concat());
        let json = as_json(&decision);
        assert_eq!(json["at"], 1.5);
        assert_eq!(json["nodes"][2]["refusal"]["plugin"], "B");
        assert_eq!(json["nodes"][0]["scores"][0]["weighted"], 200);
    }
}
