//! Figures as a table: it is printed, kept in a file, and put on the page.

use std::iter::once;

use comfy_table::{Table, presets};
use serde::{Deserialize, Serialize};

use super::spread::Spread;

#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct Sheet {
    pub(crate) title: String,
    /// The head of the rows' names.
    pub(crate) row_head: String,
    pub(crate) columns: Vec<Column>,
    pub(crate) rows: Vec<Row>,
}

#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct Column {
    pub(crate) head: String,
    /// Digits after the point.
    pub(crate) digits: usize,
}

#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct Row {
    pub(crate) name: String,
    pub(crate) goal: Goal,
    /// One for each column.
    pub(crate) cells: Vec<Spread>,
}

/// What a row's medians should be.
#[derive(Clone, Copy, PartialEq, Serialize, Deserialize)]
pub(crate) enum Goal {
    AtLeast(f64),
    AtMost(f64),
    /// Within this distance of 1.
    Near(f64),
    None,
}

impl Goal {
    pub(crate) fn show(self) -> String {
        match self {
            Self::AtLeast(bound) => format!("at least {bound}"),
            Self::AtMost(bound) => format!("at most {bound}"),
            Self::Near(distance) => format!("1 +- {distance}"),
            Self::None => String::new(),
        }
    }

    /// NaN misses every goal.
    pub(crate) fn is_missed_by(self, median: f64) -> bool {
        match self {
            Self::AtLeast(bound) => median.is_nan() || median < bound,
            Self::AtMost(bound) => median.is_nan() || median > bound,
            Self::Near(distance) => median.is_nan() || (median - 1.0).abs() > distance,
            Self::None => false,
        }
    }

    fn verdict(self, median: f64) -> &'static str {
        match self {
            Self::None => "",
            _ if self.is_missed_by(median) => " NOT MET",
            _ => " met",
        }
    }
}

impl Sheet {
    /// A column is its head, and how many digits its figures have after the point.
    pub(crate) fn new(title: impl Into<String>, row_head: &str, columns: &[(&str, usize)]) -> Self {
        let columns =
            columns.iter().map(|&(head, digits)| Column { head: head.to_owned(), digits }).collect();
        Self { title: title.into(), row_head: row_head.to_owned(), columns, rows: Vec::new() }
    }

    pub(crate) fn row(&mut self, name: impl Into<String>, cells: impl IntoIterator<Item = Spread>) {
        self.row_with_goal(name, Goal::None, cells);
    }

    pub(crate) fn row_with_goal(
        &mut self,
        name: impl Into<String>,
        goal: Goal,
        cells: impl IntoIterator<Item = Spread>,
    ) {
        self.rows.push(Row { name: name.into(), goal, cells: cells.into_iter().collect() });
    }

    pub(crate) fn has_goals(&self) -> bool {
        self.rows.iter().any(|row| row.goal != Goal::None)
    }

    /// The heads of all columns: that of the names, "goal" if there is any, and these.
    pub(crate) fn heads(&self, columns: impl IntoIterator<Item = String>) -> Vec<String> {
        let goal = self.has_goals().then(|| "goal".to_owned());
        once(self.row_head.clone()).chain(goal).chain(columns).collect()
    }

    /// The texts of a row under these heads.
    pub(crate) fn texts(
        &self,
        name: String,
        goal: Goal,
        cells: impl IntoIterator<Item = String>,
    ) -> Vec<String> {
        let goal = self.has_goals().then(|| goal.show());
        once(name).chain(goal).chain(cells).collect()
    }

    pub(crate) fn column_heads(&self) -> impl Iterator<Item = String> {
        self.columns.iter().map(|column| column.head.clone())
    }

    /// The text of each cell, each followed by a mark of its median.
    pub(crate) fn cells(&self, row: &Row, mark: fn(Goal, f64) -> &'static str) -> Vec<String> {
        let cells = row.cells.iter().zip(&self.columns);
        cells.map(|(cell, column)| cell.show(column.digits) + mark(row.goal, cell.median)).collect()
    }

    pub(crate) fn print(&self) {
        let rows = self
            .rows
            .iter()
            .map(|row| self.texts(row.name.clone(), row.goal, self.cells(row, Goal::verdict)));
        let mut table = Table::new();
        table.load_style(presets::NOTHING).set_header(self.heads(self.column_heads())).add_rows(rows);
        println!("\n== {}\n\n{}", self.title, table.trim_fmt());
    }
}
