//! Figures as a table: it is printed, kept in a file, and put on the page.

use serde::{Deserialize, Serialize};

use super::spread::Spread;

#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct Sheet {
    pub(crate) title: String,
    /// What a row is.
    pub(crate) of: String,
    pub(crate) columns: Vec<Column>,
    pub(crate) rows: Vec<Row>,
}

#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct Column {
    pub(crate) head: String,
    pub(crate) digits: usize,
}

#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct Row {
    pub(crate) name: String,
    pub(crate) wants: Wants,
    /// One a column, none where there is none.
    pub(crate) cells: Vec<Option<Spread>>,
}

#[derive(Clone, Copy, Serialize, Deserialize)]
pub(crate) enum Wants {
    AtLeast(f64),
    AtMost(f64),
    /// As near to 1 as that.
    Near(f64),
    /// It is only told.
    Nothing,
}

impl Wants {
    pub(crate) fn show(self) -> String {
        match self {
            Self::AtLeast(bound) => format!("at least {bound}"),
            Self::AtMost(bound) => format!("at most {bound}"),
            Self::Near(bound) => format!("1 +- {bound}"),
            Self::Nothing => String::new(),
        }
    }

    /// Whether a figure does not come up to it.
    pub(crate) fn is_missed_by(self, figure: f64) -> bool {
        // What is no number misses every goal.
        match self {
            Self::AtLeast(bound) => figure.is_nan() || figure < bound,
            Self::AtMost(bound) => figure.is_nan() || figure > bound,
            Self::Near(bound) => figure.is_nan() || (figure - 1.0).abs() > bound,
            Self::Nothing => false,
        }
    }

    fn verdict(self, figure: f64) -> &'static str {
        match self {
            Self::Nothing => "",
            _ if self.is_missed_by(figure) => " NOT MET",
            _ => " met",
        }
    }
}

impl Sheet {
    /// Each column with how many digits its figures have behind the point.
    pub(crate) fn new(title: impl Into<String>, of: &str, columns: &[(&str, usize)]) -> Self {
        let columns =
            columns.iter().map(|&(head, digits)| Column { head: head.to_owned(), digits }).collect();
        Self { title: title.into(), of: of.to_owned(), columns, rows: Vec::new() }
    }

    pub(crate) fn row(&mut self, name: impl Into<String>, cells: impl IntoIterator<Item = Spread>) {
        self.judged(name, Wants::Nothing, cells);
    }

    pub(crate) fn judged(
        &mut self,
        name: impl Into<String>,
        wants: Wants,
        cells: impl IntoIterator<Item = Spread>,
    ) {
        self.rows.push(Row { name: name.into(), wants, cells: cells.into_iter().map(Some).collect() });
    }

    /// Whether any row has something to come up to.
    pub(crate) fn has_goals(&self) -> bool {
        self.rows.iter().any(|row| !matches!(row.wants, Wants::Nothing))
    }

    /// The text of a row's cells.
    pub(crate) fn cells(&self, row: &Row) -> Vec<String> {
        let cells = row.cells.iter().zip(&self.columns);
        cells
            .map(|(cell, column)| cell.map_or_else(|| "-".to_owned(), |cell| cell.show(column.digits)))
            .collect()
    }

    pub(crate) fn print(&self) {
        println!("\n== {}\n", self.title);
        let mut lines = vec![self.heads()];
        for row in &self.rows {
            let mut line = vec![row.name.clone()];
            if self.has_goals() {
                line.push(row.wants.show());
            }
            let verdict = |cell: &Option<Spread>| cell.map_or("", |cell| row.wants.verdict(cell.median));
            line.extend(self.cells(row).into_iter().zip(&row.cells).map(|(text, cell)| text + verdict(cell)));
            lines.push(line);
        }
        print_lines(&lines);
    }

    /// The heads of all columns.
    pub(crate) fn heads(&self) -> Vec<String> {
        let goal = self.has_goals().then(|| "goal".to_owned());
        let columns = self.columns.iter().map(|column| column.head.clone());
        std::iter::once(self.of.clone()).chain(goal).chain(columns).collect()
    }
}

fn print_lines(lines: &[Vec<String>]) {
    let width = |column: usize| {
        lines.iter().filter_map(|line| line.get(column)).map(|text| text.chars().count()).max().unwrap_or(0)
    };
    for line in lines {
        let text: Vec<String> = line
            .iter()
            .enumerate()
            .map(|(column, text)| format!("{text:<width$}", width = width(column)))
            .collect();
        println!("{}", text.join("  ").trim_end());
    }
}
