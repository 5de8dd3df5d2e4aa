// Splits the engine in two: what the page opens with, and what nobody needs until they do something.
//
// A function of the second part that the first refers to stays there as a stub, which goes through a
// table of its own; the second part fills it when it comes (see later.js). This is how Binaryen's own
// wasm-split does it, which is not among the tools that come from npm.
import binaryen from "binaryen";
import { SECTION, withSections } from "./binary.mjs";

/** What comes later, by its modules and methods; all else that only they call goes with them. */
const MODULES = [
  "api::columns::(autoscaling|cell|documents|network|objects|rbac|storage|workloads)",
  "api::(cel|custom|patch::(?!schema)|representation::(metadata|table)|versions)",
  "api::decode::typed::decode::<podflow::api::wire::node::Node>",
  "api::defaults::(create::merge_label_keys|documents::(autoscaler|csi_driver|far_disks|limit_range|network_policy|runtime_class|workloads)|pod_resources)",
  "api::duration::(from_go|of_units|to_go)",
  "api::managed::try_apply",
  "api::object::Object>::row",
  "api::validation::documents::(autoscaling|definition|ingress|network|quota|runtime_class|storage|workload)",
  "api::validation::(pod::(difference|update)|pod_parts|pod_status|volume)",
  "apiserver::(aggregation|apply::apply|authentication::(?!user)|authorization|definitions::(?!definition_name)|deletion)",
  "apiserver::(discovery|escalation|eviction|limit_ranger::check|node_authorizer::(?!is_mirror)|node_restriction)",
  "apiserver::(openapi|patch::patched|quota|requests::bound_of_old|resize|reviews|runtime_class|scale|tokens)",
  "apiserver::strategy::kinds::fill_up",
  "apiserver::server::ApiServer>::(admit_class|allowed_by|authenticate|authorize|check_overhead|decide|evict|settle_definition|shown_by)",
  "cluster::Cluster>::what_if",
  "js::(manifest|Podflow>::(apply|import_cluster|what_if)::)",
  "kubectl::apply",
  "recording::import::(?!is_cluster|kind_of)",
  "runtime::(shell|web)",
  "runtime::service::Runtime>::(forward|serve|start_exec)",
  "client::recorder::Recorder>::(again|tell_of_series)",
  "scheduler::plugins::(\\w+::)+\\w+ as podflow::scheduler::framework::Plugin>::hint",
  "scheduler::plugins::volumes::binding::VolumeBinding as podflow::scheduler::framework::Plugin>::(filter|pre_bind|score)",
  "scheduler::plugins::volumes::(binding::(Volumes|Waiting)|limits::FullNodes)>::",
  "scheduler::plugins::volumes::(built_in::(BuiltIn>::(?!of\\b)|rename)|place|reserving)",
  "scheduler::(framework::waiting::WaitingPods>::(push|time_out)|Scheduler>::wait_for_permits|stored)",
  "scheduler::configuration::(?!is_configuration|plugin_sets|profile_of|Configuration>::profile\\b)",
  "share::decision",
  "ui::panels::(delete|dropped|inspector::(journey|message|node|pod|why)|objects)",
  "ui::view::(changes|cri|inspect|journey|message|table|why)",
];

/** What only they need of other crates: numbers and times as text, where there is no short way. */
const OTHERS = ["cel", "core::num::flt2dec::strategy::dragon", "jiff::fmt::(offset|temporal::parser)"];

/**
 * What belongs to one of them: its functions, those of its types, Yew's for its components, and its promises. One that
 * ends with a path is all below that.
 */
const LATER = new RegExp(
  `^(<yew::html::component::lifecycle::\\w+|js_sys::futures::future_to_promise::)?<*(podflow::(${MODULES.join("|")})|${OTHERS.join("|")})((?<=::)|(?!\\w))`,
);

/** In the second part, whatever is imported from the first. */
const ENGINE = "engine";
const TABLE = "later";
const IS_THERE = "later_is_there";
const BRING = "bring_later";

/** The module in `bytes`, which has names, as the two parts `first` and `later`. */
export function split(bytes) {
  const first = binaryen.readBinary(bytes);
  for (const { name } of infos(first, "Function").filter(isLater)) {
    binaryen.Function.setBody(first.getFunction(name), first.unreachable());
  }
  first.runPasses(["remove-unused-module-elements"]);
  const here = infos(first, "Function");
  const stubs = here.filter(isLater);
  stub(first, stubs);

  const later = binaryen.readBinary(bytes);
  importAll(later, here.filter((it) => !it.module && !isLater(it)));
  fill(later, stubs);
  later.runPasses(["remove-unused-module-elements"]);
  exportAll(first, later);

  binaryen.setDebugInfo(false);
  const parts = { first: first.emitBinary(), later: withoutData(later.emitBinary()) };
  first.dispose();
  later.dispose();
  return parts;
}

/** Names have the hash of each crate. */
const isLater = ({ module, name }) => !module && LATER.test(name.replace(/\[[0-9a-f]+\]/g, ""));

/** What is known of each function, table, … of `module`, those that it imports among them. */
function infos(module, what) {
  const count = module[`getNum${what}s`]();
  const at = (index) => binaryen[`get${what}Info`](module[`get${what}ByIndex`](index));
  return Array.from({ length: count }, (_, index) => at(index));
}

/** Makes `stubs` call through the table, once the second part is there. */
function stub(module, stubs) {
  const { i32, none } = binaryen;
  module.addFunctionImport(BRING, TABLE, "bring", none, none);
  module.addGlobal(IS_THERE, i32, true, module.i32.const(0));
  module.addTable(TABLE, stubs.length, stubs.length);
  stubs.forEach(({ name, params, results }, place) => {
    const operands = binaryen.expandType(params).map((type, index) => module.local.get(index, type));
    const isMissing = module.i32.eqz(module.global.get(IS_THERE, i32));
    const body = [
      module.if(isMissing, module.call(BRING, [], none)),
      module.call_indirect(TABLE, module.i32.const(place), operands, params, results),
    ];
    binaryen.Function.setBody(module.getFunction(name), module.block(null, body, results));
  });
}

/** Makes `module` import the functions `here`, and all state, instead of having its own. */
function importAll(module, here) {
  for (const { name } of infos(module, "Export")) module.removeExport(name);
  for (const { name } of infos(module, "ElementSegment")) module.removeElementSegment(name);
  here.forEach(({ name, params, results }, index) => {
    module.removeFunction(name);
    module.addFunctionImport(name, ENGINE, `$${index.toString(36)}`, params, results);
  });
  for (const { name } of infos(module, "Table")) module.addTableImport(name, ENGINE, `$t_${name}`);
  for (const { name, type } of infos(module, "Global").filter((it) => it.mutable)) {
    module.addGlobalImport(name, ENGINE, `$g_${name}`, type, true);
  }
  module.addMemoryImport("0", ENGINE, "memory");
}

/** Makes `first` export what `later` imports of it. */
function exportAll(first, later) {
  for (const what of ["Function", "Table", "Global"]) {
    for (const { name, module, base } of infos(later, what)) {
      if (module === ENGINE) first[`add${what}Export`](name, base);
    }
  }
}

/** Makes `module` put its functions into the table when it begins. */
function fill(module, stubs) {
  const { i32, none } = binaryen;
  const places = stubs.map(({ name }) => name);
  module.addTable(TABLE, places.length, places.length);
  module.addTableImport(TABLE, ENGINE, TABLE);
  module.addActiveElementSegment(TABLE, TABLE, places, module.i32.const(0));
  module.addGlobal(IS_THERE, i32, true, module.i32.const(0));
  module.addGlobalImport(IS_THERE, ENGINE, IS_THERE, i32, true);
  const begin = module.global.set(IS_THERE, module.i32.const(1));
  module.setStart(module.addFunction("begin", none, none, [], begin));
}

/** `bytes` of a module without its data: they are in the first part's memory already. */
function withoutData(bytes) {
  const nothing = Buffer.alloc(0);
  return withSections(bytes, ({ id }) => (id === SECTION.data || id === SECTION.dataCount ? nothing : undefined));
}
