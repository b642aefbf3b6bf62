//! What `update` asks for and what comes back: effects out, actions in. Both are data.

use roaring::RoaringBitmap;

use super::commands::Cmd;
use super::key::Key;
use crate::engine::messages::{Event, Reply, Request, SavedList};
use crate::failure::Failure;
use crate::lead::{Lead, Schema};
use crate::list::Provenance;

/// Something that happened to the app.
#[derive(Clone, Debug)]
pub enum Action {
    /// A key was pressed.
    Key(Key),
    /// Text was pasted by the terminal.
    Paste(String),
    /// The mouse pressed something that was drawn.
    Point(Target),
    /// The wheel turned by this many rows.
    Wheel(i32),
    /// The terminal changed its size, or the table got more or fewer rows.
    Viewport {
        /// Columns of the terminal.
        width: u16,
        /// Rows of the terminal.
        height: u16,
        /// Rows of leads that the table shows.
        rows: u16,
    },
    /// A command, from the palette.
    Run(Cmd),
    /// An answer of the engine to [`Effect::Call`].
    Answer(Call, Result<Box<Reply>, Failure>),
    /// News from the engine.
    Event(Box<Event>),
    /// News from the open audience.
    News(News),
    /// The text that came back from an editor.
    Edited(String),
    /// A time asked for by `State::next_wake` has come.
    Wake,
    /// The program was asked to end (SIGTERM, SIGHUP).
    Terminate,
}

/// What the mouse can press.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Target {
    /// A tab, from 0.
    Tab(usize),
    /// A visible row of leads, from the top.
    Row(usize),
    /// The selection mark of a visible row.
    Mark(usize),
    /// A place on the first tab.
    Focus(super::Focus),
    /// A row of the list on top (tab, picker, palette, form), from its beginning.
    Item(usize),
}

/// Which wish an answer belongs to, echoed by whoever carries the call out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Call {
    /// Nobody waits for the answer; a failure becomes a notice.
    Quiet,
    /// The lists for their tab.
    Lists,
    /// The connections for grid and tab.
    Connections,
    /// The webhooks for their tab.
    Webhooks,
    /// Runs, deliveries, notices, events for Activity.
    Activity,
    /// The sign-in of the connect pane.
    SignIn,
    /// A plan for the confirm pane.
    Plan,
    /// The run that a pane started or shows.
    Run,
    /// The form's save.
    SaveWebhook,
    /// The form's test.
    TestWebhook,
    /// The settings of a webhook, to edit them.
    EditWebhook,
    /// Something done to a list, connection or webhook: say this, then ask for the tab's rows again.
    Changed(String),
    /// What was remembered under a key.
    Recall(&'static str),
}

/// Something to be carried out.
#[derive(Clone, Debug)]
pub enum Effect {
    /// A call of the engine.
    Call(Call, Box<Request>),
    /// Opens a file (or standard input) as the audience.
    Open {
        /// A number that later news must carry.
        generation: u64,
        /// The path, `-` for standard input.
        path: String,
    },
    /// Opens a saved list as the audience.
    OpenList {
        /// A number that later news must carry.
        generation: u64,
        /// Its name.
        name: String,
    },
    /// Builds the order of rows for a filter and a sort.
    View {
        /// The audience.
        generation: u64,
        /// Which view; a later one replaces it.
        view: u64,
        /// The filter's text.
        filter: String,
        /// The column to sort by, and whether descending.
        sort: Option<(usize, bool)>,
    },
    /// Reads rows for the screen.
    Window {
        /// The audience.
        generation: u64,
        /// First position in the order.
        from: u64,
        /// How many.
        len: u64,
    },
    /// The row ids of a stretch of the order.
    Rows {
        /// The audience.
        generation: u64,
        /// First position.
        from: u64,
        /// One past the last position; `u64::MAX` = to the end.
        to: u64,
        /// What to do with them.
        then: Then,
    },
    /// The next row that contains the text.
    Find {
        /// The audience.
        generation: u64,
        /// The text.
        needle: String,
        /// Where to begin.
        from: u64,
        /// Upwards.
        backwards: bool,
    },
    /// Counts e-mail addresses that stand twice among these rows.
    Duplicates {
        /// The audience.
        generation: u64,
        /// The rows.
        rows: RoaringBitmap,
    },
    /// Gives the columns another meaning and remembers it for these headers.
    Remap {
        /// The audience.
        generation: u64,
        /// The columns with their fields.
        schema: Schema,
    },
    /// Saves rows as a lead list.
    Save {
        /// The audience.
        generation: u64,
        /// The list's name.
        name: String,
        /// The rows.
        rows: RoaringBitmap,
        /// Where they come from.
        provenance: Provenance,
    },
    /// Writes a saved list to a file.
    Export {
        /// Its name.
        list: String,
        /// The file; its ending chooses CSV or JSONL.
        path: String,
    },
    /// Writes the audience's bad rows to a file.
    ExportBad {
        /// The audience.
        generation: u64,
        /// The file.
        path: String,
    },
    /// Stops a view, a search or a load.
    Stop,
    /// Opens an address in the browser of this machine.
    Browse(String),
    /// Copies text to the person's clipboard by way of the terminal (OSC 52).
    Copy(String),
    /// Opens text in `$EDITOR`; comes back as [`Action::Edited`].
    Edit(String),
    /// Stops the process until it is continued (ctrl-z).
    Suspend,
    /// Draws everything anew.
    Redraw,
    /// Ends the program.
    Quit,
}

/// What to do with the row ids of a stretch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Then {
    /// Select them too.
    Add,
    /// Swap selected and unselected.
    Invert,
}

/// News from the open audience; all but a failure to open carry the generation they belong to.
#[derive(Clone, Debug)]
pub enum News {
    /// More rows are known.
    Progress {
        /// The audience.
        generation: u64,
        /// What it is called, and what its columns mean.
        about: About,
    },
    /// It could not be opened.
    Failed {
        /// The audience.
        generation: u64,
        /// Why.
        failure: Failure,
    },
    /// A view is ready.
    Viewed {
        /// The audience.
        generation: u64,
        /// Which view.
        view: u64,
        /// How many rows it has.
        shown: u64,
    },
    /// How far a view is.
    Viewing {
        /// The audience.
        generation: u64,
        /// Rows done.
        done: u64,
    },
    /// Rows for the screen.
    Window {
        /// The audience.
        generation: u64,
        /// First position.
        from: u64,
        /// Row id and lead.
        rows: Vec<(u32, Lead)>,
    },
    /// The row ids asked for.
    Rows {
        /// The audience.
        generation: u64,
        /// The ids.
        rows: RoaringBitmap,
        /// What to do with them.
        then: Then,
    },
    /// Where the text was found.
    Found {
        /// The audience.
        generation: u64,
        /// The position; `None` = nowhere.
        at: Option<u64>,
    },
    /// E-mail addresses that stand twice among the selected rows.
    Duplicates {
        /// The audience.
        generation: u64,
        /// How many addresses.
        addresses: u64,
        /// All rows but the first of each address.
        later: RoaringBitmap,
    },
    /// The list is on disk, or is not.
    Saved(Result<SavedList, Failure>),
    /// How many leads of the save are written.
    Saving(u64),
    /// A file was written: what to say, or why not.
    Written(Result<String, Failure>),
    /// Something a person should know about the file.
    Notice(String),
}

/// What is known of an audience.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct About {
    /// The file's name, or the list's.
    pub name: String,
    /// What its columns mean.
    pub schema: Schema,
    /// Good rows so far.
    pub rows: u64,
    /// Bad rows so far: line and reason of the first ones.
    pub bad: Vec<(u64, String)>,
    /// How many bad rows in all.
    pub bad_count: u64,
    /// Bytes read and bytes in all.
    pub read: (u64, u64),
    /// Whether the end was reached.
    pub complete: bool,
}
