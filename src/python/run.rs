//! Run folders.

use super::failure::input;
use super::figure::Figure;
use super::table::Table;
use super::values::document;
use crate::error::{Error, excerpt};
use crate::report::figures::{DrawnFigure, FIGURES, Form, SvgFigure};
use crate::report::text;
use crate::runs::export;
use crate::runs::store::{self, RunFolder};
use pyo3::prelude::*;
use std::path::{Path, PathBuf};

/// A run: the folder that a comparison, a training or a backtest leaves. `Run("latest")` is the newest complete one; a run goes by its
/// id, a unique beginning of it, or the path of its folder.
#[pyclass(frozen, module = "deephedge")]
pub struct Run {
    folder: RunFolder,
}

/// A run, or what names one.
#[derive(FromPyObject)]
pub enum Named<'py> {
    /// The run.
    Run(Bound<'py, Run>),
    /// Its id, the beginning of that, or `latest`.
    Text(String),
    /// Its folder.
    Path(PathBuf),
}

impl Named<'_> {
    /// The folder of the run, below `root` if it goes by its id.
    ///
    /// # Errors
    /// [`super::failure::InputError`] if there is none.
    pub fn folder(&self, root: &Path) -> PyResult<RunFolder> {
        Ok(match self {
            Self::Run(run) => run.get().folder.clone(),
            Self::Text(id) => store::open(root, id)?,
            Self::Path(path) => store::open(root, &path.display().to_string())?,
        })
    }
}

impl Run {
    /// The run in a folder.
    pub fn of(folder: RunFolder) -> Self {
        Self { folder }
    }

    fn svg(&self, figure: &SvgFigure) -> Result<Option<String>, Error> {
        let file = DrawnFigure::file(figure, Form::Wide);
        let bytes = self.folder.read_bytes(&file)?;
        bytes
            .map(String::from_utf8)
            .transpose()
            .map_err(|_| Error::input(format!("run `{}`: {file}: no text", self.folder.id())))
    }
}

#[pymethods]
impl Run {
    /// Opens a run below the folder `runs`.
    #[new]
    #[pyo3(signature = (run = Named::Text("latest".into()), *, runs = PathBuf::from(store::DEFAULT_ROOT)))]
    fn new(run: Named<'_>, runs: PathBuf) -> PyResult<Self> {
        run.folder(&runs).map(Self::of)
    }

    /// The id of the run: the name of its folder.
    #[getter]
    fn id(&self) -> &str {
        self.folder.id()
    }

    /// The folder of the run.
    #[getter]
    fn path(&self) -> PathBuf {
        self.folder.path().to_path_buf()
    }

    /// Whether the run has its results.
    #[getter]
    fn is_complete(&self) -> bool {
        self.folder.is_complete()
    }

    /// The strategy as it was run, with every default: the text of a file (TOML).
    #[getter]
    fn strategy(&self) -> PyResult<Option<String>> {
        Ok(self.folder.strategy()?)
    }

    /// All results in one dict: the contents of `metrics.json`.
    #[getter]
    fn metrics<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        let metrics = serde_json::to_value(self.folder.metrics()?)
            .map_err(|error| Error::Computation(format!("metrics.json: {error}")))?;
        document(py, &metrics)
    }

    /// The names of the tables that the run has.
    #[getter]
    fn tables(&self) -> PyResult<Vec<&'static str>> {
        let metrics = self.folder.metrics()?;
        Ok(export::available(&self.folder, &metrics))
    }

    /// A table of the run: `results` has a row for every strategy and seed, `evaluation` one for each of these and every test path.
    fn table(&self, py: Python<'_>, name: &str) -> PyResult<Table> {
        let read = || -> Result<_, Error> {
            let table = export::named(name);
            table.map_or(Ok(None), |table| table.frame(&self.folder))
        };
        match py.detach(read)? {
            Some(frame) => Ok(Table::new(name, frame)),
            None => Err(input(format!(
                "run `{}`: table: must be one of {}, was \"{}\"",
                self.folder.id(),
                self.tables()?.join(", "),
                excerpt(name)
            ))),
        }
    }

    /// The names of the figures that the run's report has.
    #[getter]
    fn figures(&self) -> Vec<&'static str> {
        let drawn = |figure: &&&SvgFigure| {
            let file = DrawnFigure::file(figure, Form::Wide);
            self.folder.path().join(file).is_file()
        };
        FIGURES
            .iter()
            .filter(drawn)
            .map(|figure| figure.name)
            .collect()
    }

    /// A figure of the run's report.
    fn figure(&self, name: &str) -> PyResult<Figure> {
        if let Some(figure) = FIGURES.iter().find(|figure| figure.name == name)
            && let Some(svg) = self.svg(figure)?
        {
            return Ok(Figure {
                name: figure.name.into(),
                caption: figure.caption.into(),
                svg,
            });
        }
        Err(input(format!(
            "run `{}`: figure: must be one of {}, was \"{}\"",
            self.folder.id(),
            self.figures().join(", "),
            excerpt(name)
        )))
    }

    /// What the run comes to, as text.
    fn __str__(&self) -> PyResult<String> {
        const WIDTH: usize = 100;
        let metrics = self.folder.metrics()?;
        let strategy = self.folder.strategy()?;
        Ok(text::run(&metrics, strategy.as_deref(), WIDTH))
    }

    fn __repr__(&self) -> String {
        format!("<deephedge.Run {}>", self.folder.id())
    }

    /// The run's report in a frame, which keeps its style from the notebook's; none while the run has no report.
    fn _repr_html_(&self) -> PyResult<Option<String>> {
        let report = self.folder.read_bytes("report.html")?;
        Ok(report.map(|page| {
            let page = String::from_utf8_lossy(&page);
            let page = page.replace('&', "&amp;").replace('"', "&quot;");
            format!(
                "<iframe srcdoc=\"{page}\" sandbox=\"\" style=\"width: 100%; height: 40em; border: 0\"></iframe>"
            )
        }))
    }
}
