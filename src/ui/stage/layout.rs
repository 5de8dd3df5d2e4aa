//! Where everything on the stage is: a pure function of its size and of the number of nodes.

use super::super::px::Px;
use crate::cluster::Address;

/// From so many nodes on they are cells of a grid.
pub const MOST_CARDS: usize = 12;
/// Below this width the stage is narrow.
const NARROW: f64 = 560.0;
const GAP: f64 = 16.0;
/// The lowest stage on which all has its place.
const LEAST_HEIGHT: f64 = 420.0;
/// From this height on nothing has to be drawn closer together.
const ROOMY_HEIGHT: f64 = 476.0;
const TOKEN_HEIGHT: f64 = 34.0;
const TOKEN_GAP: f64 = 6.0;

/// A place, in pixels from the stage's corner.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Point {
    pub x: f64,
    pub y: f64,
}

/// An upright box.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Rect {
    pub x: f64,
    pub y: f64,
    pub w: f64,
    pub h: f64,
}

impl Rect {
    /// Its right edge.
    pub fn right(&self) -> f64 {
        self.x + self.w
    }

    /// Its lower edge.
    pub fn bottom(&self) -> f64 {
        self.y + self.h
    }

    /// Its middle.
    pub fn centre(&self) -> Point {
        Point { x: self.x + self.w / 2.0, y: self.y + self.h / 2.0 }
    }
}

/// The places of all parts.
#[derive(Clone, Debug, PartialEq)]
pub struct Layout {
    pub width: f64,
    pub height: f64,
    pub narrow: bool,
    pub you: Rect,
    pub scheduler: Rect,
    pub apiserver: Rect,
    pub etcd: Rect,
    pub tray: Rect,
    pub nodes: Vec<Rect>,
    /// Whether the nodes are cards with all that they hold, or cells.
    pub cards: bool,
}

/// How many fit in a row of `width`, at least one.
fn fitting(width: f64, each: f64, gap: f64) -> u32 {
    let mut count = 1_u32;
    while f64::from(count + 1) * each + f64::from(count) * gap <= width {
        count += 1;
    }
    count
}

/// A grid of `count` boxes in `area`.
fn grid(area: Rect, count: u32, columns: u32, gap: f64, tallest: f64) -> Vec<Rect> {
    let columns = columns.clamp(1, count.max(1));
    let rows = count.div_ceil(columns).max(1);
    let w = (area.w - gap * f64::from(columns - 1)) / f64::from(columns);
    let h = ((area.h - gap * f64::from(rows - 1)) / f64::from(rows)).clamp(2.0, tallest);
    let place = |index: u32| Rect {
        x: area.x + f64::from(index % columns) * (w + gap),
        y: area.y + f64::from(index / columns) * (h + gap),
        w,
        h,
    };
    (0..count).map(place).collect()
}

impl Layout {
    /// The stage of `width` and at least `height`, with `nodes` nodes.
    pub fn new(width: f64, height: f64, nodes: usize) -> Self {
        let width = width.max(280.0);
        let narrow = width < NARROW;
        let count = u32::try_from(nodes).unwrap_or(u32::MAX);
        let cards = nodes <= MOST_CARDS;
        let (margin, etcd_width, wire, box_height) =
            if narrow { (12.0, 64.0, 28.0, 44.0) } else { (24.0, 96.0, 52.0, 56.0) };
        // On a low stage the wires are shorter before the nodes have to be scrolled to.
        let drop = (height - ROOMY_HEIGHT + 76.0).clamp(56.0, 76.0);
        let (top, drop, bus) = if narrow { (10.0, 44.0, 56.0) } else { (20.0, drop, 64.0) };
        let inner = width - 2.0 * margin;
        let bus_width = inner - wire - etcd_width;
        let box_width = if narrow { 114.0_f64.min((bus_width - 12.0) / 2.0) } else { 152.0 };
        let apiserver = Rect { x: margin, y: top + box_height + drop, w: bus_width, h: bus };
        let etcd = Rect {
            x: apiserver.right() + wire,
            y: apiserver.y - 6.0,
            w: etcd_width,
            h: bus + 12.0,
        };
        let you = Rect { x: margin, y: top, w: box_width, h: box_height };
        let free = apiserver.right() - box_width;
        let middle = (apiserver.centre().x - box_width / 2.0).max(you.right() + 12.0);
        let scheduler = Rect { x: middle.min(free), ..you };
        let tray =
            Rect { x: margin, y: apiserver.bottom() + 18.0, w: inner, h: 20.0 + TOKEN_HEIGHT };
        let (least, gap) = if narrow { (100.0, 8.0) } else { (168.0, GAP) };
        let above = tray.bottom() + 20.0;
        let columns = if cards { fitting(inner, least, gap) } else { cell_columns(inner, nodes) };
        let rows = f64::from(count.div_ceil(columns.max(1)).max(1));
        let card_height = if cards { rows * (150.0 + gap) - gap } else { rows * 6.0 };
        let height = height.max(LEAST_HEIGHT).max(above + card_height + 12.0);
        let area = Rect { x: margin, y: above, w: inner, h: height - above - 12.0 };
        let (gap, tallest) = if cards { (gap, 240.0) } else { (3.0, 40.0) };
        let nodes = grid(area, count, columns, gap, tallest);
        Self { width, height, narrow, you, scheduler, apiserver, etcd, tray, nodes, cards }
    }

    /// The nodes row by row.
    pub fn rows(&self) -> impl Iterator<Item = &[Rect]> {
        self.nodes.chunk_by(|one, next| one.y.total_cmp(&next.y).is_eq())
    }

    /// The place of all nodes together.
    pub fn grid(&self) -> Rect {
        let last = self.nodes.last().copied().unwrap_or(self.tray);
        let Some(([first, ..], row)) = self.rows().next().map(|row| (row, row.len())) else {
            return Rect { h: 0.0, ..last };
        };
        let right = self.nodes.get(row - 1).map_or(first.right(), Rect::right);
        Rect { w: right - first.x, h: last.bottom() - first.y, ..*first }
    }

    /// The number of the node at `point`; a gap belongs to the node behind it.
    pub fn node_at(&self, point: Point) -> Option<usize> {
        let above = self.nodes.partition_point(|cell| cell.bottom() < point.y);
        let row = self.nodes.get(above..)?;
        let y = row.first()?.y;
        let row = row.iter().take_while(|cell| cell.y <= y);
        row.enumerate().find(|(_, cell)| point.x <= cell.right()).map(|(column, _)| above + column)
    }

    /// Where a key goes from the node numbered `from`; none if it goes nowhere.
    pub fn node_beside(&self, from: Option<usize>, key: &str) -> Option<usize> {
        let columns = self.rows().next()?.len();
        let last = self.nodes.len() - 1;
        let Some(from) = from else { return key.starts_with("Arrow").then_some(0) };
        let to = match key {
            "ArrowRight" => from.checked_add(1),
            "ArrowLeft" => from.checked_sub(1),
            "ArrowDown" => from.checked_add(columns),
            "ArrowUp" => from.checked_sub(columns),
            "Home" => Some(0),
            "End" => Some(last),
            _ => return None,
        };
        Some(to.filter(|to| *to <= last).unwrap_or(from))
    }

    fn node(&self, number: u32) -> Rect {
        let number = usize::try_from(number).unwrap_or(usize::MAX);
        // A message to a node that is gone ends where the nodes are.
        self.nodes.get(number).copied().unwrap_or(Rect { w: 1.0, h: 1.0, ..self.tray })
    }

    /// A free place just above a node's card.
    pub fn above_node(&self, number: u32) -> Point {
        let node = self.node(number);
        Point { x: node.x + 4.0, y: node.y - 8.0 }
    }

    /// A node's kubelet and its runtime, in its card.
    pub fn parts(&self, node: Rect) -> (Rect, Rect) {
        let pad = if self.narrow { 8.0 } else { 12.0 };
        let gap = if self.narrow { 6.0 } else { 14.0 };
        let w = (node.w - 2.0 * pad - gap) / 2.0;
        let kubelet = Rect { x: node.x + pad, y: node.y + 34.0, w, h: 24.0 };
        (kubelet, Rect { x: kubelet.right() + gap, ..kubelet })
    }

    /// Where the Pod numbered `index` of those that wait stands; none if there is no room.
    pub fn waiting_slot(&self, index: usize) -> Option<Rect> {
        let w = if self.narrow { 92.0 } else { 112.0 };
        let area = Rect { y: self.tray.y + 20.0, h: TOKEN_HEIGHT, ..self.tray };
        slots(area, w, fitting(area.w - 56.0, w, TOKEN_GAP), 1, index)
    }

    /// Where the Pod numbered `index` of `node`'s stands; none if there is no room.
    pub fn node_slot(&self, node: u32, index: usize) -> Option<Rect> {
        let card = self.node(node);
        if !self.cards {
            return None;
        }
        let (kubelet, runtime) = self.parts(card);
        let area = Rect {
            x: kubelet.x,
            y: kubelet.bottom() + 8.0,
            w: runtime.right() - kubelet.x,
            h: card.bottom() - 46.0 - kubelet.bottom() - 8.0,
        };
        let columns = if area.w >= 168.0 { 2 } else { 1 };
        let w = (area.w - TOKEN_GAP * f64::from(columns - 1)) / f64::from(columns);
        let rows = fitting(area.h, TOKEN_HEIGHT, TOKEN_GAP);
        slots(area, w, columns, rows, index)
    }

    /// The line that messages between two parts travel; empty if there is none.
    pub fn route(&self, from: Address, to: Address) -> Vec<Point> {
        match (from, to) {
            (Address::ApiServer, part) => self.spoke(part),
            (part, Address::ApiServer) => self.spoke(part).into_iter().rev().collect(),
            (Address::Kubelet(number), Address::Runtime(_)) => self.inside(number),
            (Address::Runtime(number), Address::Kubelet(_)) => {
                self.inside(number).into_iter().rev().collect()
            }
            (
                Address::You
                | Address::Etcd
                | Address::Scheduler
                | Address::Kubelet(_)
                | Address::Runtime(_),
                _,
            ) => Vec::new(),
        }
    }

    fn inside(&self, number: u32) -> Vec<Point> {
        let node = self.node(number);
        if !self.cards {
            return vec![node.centre(), node.centre()];
        }
        let (kubelet, runtime) = self.parts(node);
        let y = kubelet.centre().y;
        vec![Point { x: kubelet.x + 8.0, y }, Point { x: runtime.right() - 8.0, y }]
    }

    /// From the API server to a part.
    fn spoke(&self, part: Address) -> Vec<Point> {
        let bus = self.apiserver;
        let above = |rect: Rect| {
            let x = rect.centre().x;
            vec![Point { x, y: bus.y }, Point { x, y: rect.bottom() }]
        };
        match part {
            Address::You => above(self.you),
            Address::Scheduler => above(self.scheduler),
            Address::Etcd => {
                let y = bus.centre().y;
                vec![Point { x: bus.right(), y }, Point { x: self.etcd.x, y }]
            }
            Address::Kubelet(number) | Address::Runtime(number) => self.to_node(self.node(number)),
            Address::ApiServer => Vec::new(),
        }
    }

    fn to_node(&self, node: Rect) -> Vec<Point> {
        let bus = self.apiserver;
        let inside = |x: f64| x.clamp(bus.x + 16.0, bus.right() - 16.0);
        let first_row = self.nodes.first().is_none_or(|first| node.y <= first.y);
        let end = if !self.cards {
            node.centre()
        } else if first_row {
            Point { x: node.centre().x, y: node.y }
        } else {
            Point { x: node.x, y: node.y + 18.0 }
        };
        let down = if first_row { end.x } else { node.x - 6.0 };
        let turn = self.tray.bottom() + 8.0;
        let mut way = vec![Point { x: inside(down), y: bus.bottom() }];
        if (inside(down) - down).abs() > 0.5 {
            way.extend([Point { x: inside(down), y: turn }, Point { x: down, y: turn }]);
        }
        if !first_row {
            way.push(Point { x: down, y: end.y });
        }
        way.push(end);
        way
    }
}

/// The grid of cells: wide enough to be seen, as many columns as make it about as wide as high.
fn cell_columns(inner: f64, nodes: usize) -> u32 {
    let cell = match nodes {
        0..=60 => 84.0,
        61..=300 => 36.0,
        301..=1500 => 14.0,
        _ => 6.0,
    };
    fitting(inner, cell, 3.0)
}

fn slots(area: Rect, w: f64, columns: u32, rows: u32, index: usize) -> Option<Rect> {
    let index = u32::try_from(index).ok()?;
    let (column, row) = (index % columns, index / columns);
    (row < rows && area.h >= TOKEN_HEIGHT).then(|| Rect {
        x: area.x + f64::from(column) * (w + TOKEN_GAP),
        y: area.y + f64::from(row) * (TOKEN_HEIGHT + TOKEN_GAP),
        w,
        h: TOKEN_HEIGHT,
    })
}

/// The point after `fraction` of the way along `route`.
pub fn along(route: &[Point], fraction: f64) -> Option<Point> {
    let pairs = || route.iter().zip(route.iter().skip(1));
    let length = |(a, b): (&Point, &Point)| (b.x - a.x).hypot(b.y - a.y);
    let mut left = pairs().map(length).sum::<f64>() * fraction.clamp(0.0, 1.0);
    for (a, b) in pairs() {
        let span = length((a, b));
        if left <= span && span > 0.0 {
            let part = left / span;
            return Some(Point { x: a.x + (b.x - a.x) * part, y: a.y + (b.y - a.y) * part });
        }
        left -= span;
    }
    route.last().copied()
}

/// `route` as the data of an SVG path.
pub fn path(route: &[Point]) -> String {
    let points = route.iter().map(|point| format!("{} {}", Px(point.x), Px(point.y)));
    format!("M{}", points.collect::<Vec<_>>().join("L"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_row_of_nodes_fits_on_a_low_stage() {
        for height in [450.0, 469.0, 500.0] {
            assert!(Layout::new(596.0, height, 3).height <= height, "{height}");
        }
    }

    #[test]
    fn every_part_lies_on_the_stage_at_every_size() {
        for (width, height) in [(320.0, 300.0), (360.0, 520.0), (740.0, 600.0), (2000.0, 1200.0)] {
            for nodes in [0, 1, 3, 5, 12, 13, 200, 5000] {
                let layout = Layout::new(width, height, nodes);
                assert_eq!(layout.nodes.len(), nodes);
                let fixed = [layout.you, layout.scheduler, layout.apiserver, layout.etcd];
                for rect in fixed.iter().chain(&layout.nodes) {
                    assert!(
                        rect.x >= 0.0 && rect.right() <= layout.width + 0.1,
                        "{width} {rect:?}"
                    );
                    assert!(
                        rect.bottom() <= layout.height + 0.1,
                        "{width}×{height} {nodes} {rect:?}"
                    );
                    assert!(rect.w > 0.0 && rect.h > 0.0, "{width} {nodes} {rect:?}");
                }
                assert!(layout.you.right() < layout.scheduler.x, "{width}");
            }
        }
    }

    #[test]
    fn every_cell_is_found_where_it_is_and_reached_with_keys() {
        let layout = Layout::new(740.0, 600.0, 203);
        for (number, cell) in layout.nodes.iter().enumerate() {
            assert_eq!(layout.node_at(cell.centre()), Some(number));
        }
        let grid = layout.grid();
        assert_eq!(layout.node_at(Point { x: grid.right() + 9.0, y: grid.y }), None);
        assert_eq!(layout.node_at(Point { x: grid.x, y: grid.bottom() + 9.0 }), None);
        let columns = layout.rows().next().map_or(0, <[Rect]>::len);
        let go = |from, key| layout.node_beside(from, key);
        assert_eq!(go(None, "ArrowDown"), Some(0));
        assert_eq!(go(Some(0), "ArrowRight"), Some(1));
        assert_eq!(go(Some(0), "ArrowLeft"), Some(0));
        assert_eq!(go(Some(1), "ArrowDown"), Some(1 + columns));
        assert_eq!(go(Some(202), "ArrowDown"), Some(202));
        assert_eq!(go(Some(9), "End"), Some(202));
        assert_eq!(go(Some(9), "x"), None);
    }

    #[test]
    fn a_message_and_its_answer_take_the_same_line() {
        let layout = Layout::new(740.0, 600.0, 5);
        for part in [Address::You, Address::Scheduler, Address::Etcd, Address::Kubelet(4)] {
            let there = layout.route(part, Address::ApiServer);
            let mut back = layout.route(Address::ApiServer, part);
            back.reverse();
            assert!(there.len() > 1);
            assert_eq!(there, back);
        }
        assert!(layout.route(Address::Scheduler, Address::Etcd).is_empty());
    }

    #[test]
    fn half_of_the_way_is_in_the_middle_of_the_line() {
        let corner = [(0.0, 0.0), (10.0, 0.0), (10.0, 10.0)].map(|(x, y)| Point { x, y });
        assert_eq!(along(&corner, 0.5), Some(Point { x: 10.0, y: 0.0 }));
        assert_eq!(along(&corner, 1.0), Some(Point { x: 10.0, y: 10.0 }));
        assert_eq!(along(&[], 0.5), None);
    }
}
