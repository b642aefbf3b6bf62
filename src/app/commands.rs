//! Every command in one table: key map, hint line, help, palette and the README's key list are made from it.

use super::key::Key;

/// Where a command can be given.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Place {
    /// Everywhere but in a text field.
    Anywhere,
    /// The lead table.
    Table,
    /// The list name, Save, the CRM grid, the webhook button.
    Panes,
    /// The tab of saved lists.
    Lists,
    /// The tab of connections.
    Connections,
    /// The tab of webhooks.
    Webhooks,
    /// The tab of runs, deliveries, notices and events.
    Activity,
    /// The connect pane.
    Connect,
    /// "Confirm sync settings".
    Confirm,
    /// A run and its outcomes.
    Run,
    /// The webhook form.
    Form,
    /// The columns and what they hold.
    Columns,
}

impl Place {
    /// Its name on the help screen.
    pub fn title(self) -> &'static str {
        match self {
            Place::Anywhere => "Everywhere",
            Place::Table => "Lead table",
            Place::Panes => "List name, CRM grid, webhook button",
            Place::Lists => "Lists",
            Place::Connections => "Connections",
            Place::Webhooks => "Webhooks",
            Place::Activity => "Activity",
            Place::Connect => "Connect",
            Place::Confirm => "Confirm sync settings",
            Place::Run => "Run",
            Place::Form => "Webhook form",
            Place::Columns => "Columns",
        }
    }
}

/// One command.
#[derive(Clone, Copy, Debug)]
pub struct Command {
    /// Which.
    pub cmd: Cmd,
    /// Its stable name, for a key map of one's own: `select.toggle`.
    pub name: &'static str,
    /// What it does, for help and palette.
    pub title: &'static str,
    /// One or two words for the hint line; empty = not there.
    pub hint: &'static str,
    /// Its keys, the first one shown in hints.
    pub keys: &'static [&'static str],
    /// Where it can be given.
    pub place: Place,
}

macro_rules! commands {
    ($($cmd:ident $place:ident $name:literal $title:literal $hint:literal [$($key:literal),*];)*) => {
        /// The name of a command in code.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        #[allow(missing_docs, reason = "each is described by its row of the table")]
        pub enum Cmd { $($cmd),* }

        /// The table.
        pub const COMMANDS: &[Command] = &[$(Command {
            cmd: Cmd::$cmd, name: $name, title: $title, hint: $hint, keys: &[$($key),*], place: Place::$place,
        }),*];
    };
}

commands! {
    Toggle Table "select.toggle" "Select or unselect the lead and move down" "select" ["space"];
    Filter Table "table.filter" "Filter the leads" "filter" ["/"];
    Sort Table "table.sort" "Sort by a column" "sort" ["s"];
    Search Table "table.search" "Search for text" "search" ["f", "ctrl-f"];
    Detail Table "lead.detail" "Show all of the lead" "open" ["enter"];
    SelectAll Table "select.all" "Select all leads of the filter" "all" ["a", "ctrl-a"];
    Range Table "select.range" "Select from the last mark to here" "" ["v", "V"];
    Invert Table "select.invert" "Swap selected and unselected leads of the filter" "" ["i"];
    ClearSelection Table "select.clear" "Unselect all leads" "" ["c"];
    Dedupe Table "select.dedupe" "Keep one lead of each e-mail address selected" "" ["d"];
    Columns Table "table.columns" "Columns: show, hide, widen, change what they hold" "columns" ["o"];
    Down Table "table.down" "Down" "" ["down", "j"];
    Up Table "table.up" "Up" "" ["up", "k"];
    PageDown Table "table.page-down" "A page down" "" ["pgdn", "ctrl-d"];
    PageUp Table "table.page-up" "A page up" "" ["pgup", "ctrl-u"];
    First Table "table.first" "First lead" "" ["home", "g"];
    Last Table "table.last" "Last lead" "" ["end", "G"];
    Left Table "table.left" "Columns to the left" "" ["left", "h"];
    Right Table "table.right" "Columns to the right" "" ["right", "l"];
    FindNext Table "table.find-next" "Next match of the search" "" ["n"];
    FindPrevious Table "table.find-previous" "Previous match of the search" "" ["N"];
    Reverse Table "table.reverse" "Turn the sort around" "" ["S"];
    ClearFilter Table "table.clear-filter" "Show all leads again" "" ["F"];
    BadRows Table "table.bad-rows" "List the rows that could not be read" "" ["b"];

    Press Panes "pane.press" "Press the button" "press" ["enter", "space"];
    PaneDown Panes "pane.down" "Down" "" ["down", "j"];
    PaneUp Panes "pane.up" "Up" "" ["up", "k"];
    PaneLeft Panes "pane.left" "Left" "" ["left", "h"];
    PaneRight Panes "pane.right" "Right" "" ["right", "l"];

    ListOpen Lists "list.open" "Open the list as the audience" "open" ["enter"];
    ListSend Lists "list.send" "Send the list to a CRM or webhook" "send" ["s"];
    ListRename Lists "list.rename" "Rename the list" "rename" ["r"];
    ListExport Lists "list.export" "Export the list as CSV or JSONL" "export" ["x"];
    ListDelete Lists "list.delete" "Delete the list" "delete" ["d", "delete"];

    ConnectionOpen Connections "connection.open" "Connect, or connect again" "connect" ["enter"];
    ConnectionTest Connections "connection.test" "Ask the CRM who we are" "test" ["t"];
    ConnectionRemove Connections "connection.remove" "Remove the connection" "remove" ["d", "delete"];

    WebhookNew Webhooks "webhook.new" "New webhook" "new" ["n"];
    WebhookEdit Webhooks "webhook.edit" "Edit the webhook" "edit" ["enter", "e"];
    WebhookTest Webhooks "webhook.test" "Send one made-up lead" "test" ["t"];
    WebhookToggle Webhooks "webhook.toggle" "Pause or activate the webhook" "pause" ["p"];
    WebhookRotate Webhooks "webhook.rotate" "Make a new signing secret" "" ["R"];
    WebhookReplay Webhooks "webhook.replay" "Send parked deliveries again" "replay" ["r"];
    WebhookLog Webhooks "webhook.log" "Show the webhook's deliveries" "log" ["l"];
    WebhookRemove Webhooks "webhook.remove" "Remove the webhook" "remove" ["d", "delete"];

    ActivityNext Activity "activity.next" "Next of runs, deliveries, notices, events" "next" ["right", "l"];
    ActivityPrevious Activity "activity.previous" "Previous of runs, deliveries, notices, events" "" ["left", "h"];
    ActivityOpen Activity "activity.open" "Show the run and its outcomes" "open" ["enter"];

    ItemDown Anywhere "item.down" "Next row" "" ["down", "j"];
    ItemUp Anywhere "item.up" "Previous row" "" ["up", "k"];
    ItemFirst Anywhere "item.first" "First row" "" ["home", "g"];
    ItemLast Anywhere "item.last" "Last row" "" ["end", "G"];

    ConnectPaste Connect "connect.paste" "Paste the address your browser ended on" "" [];
    ConnectOpen Connect "connect.open" "Open the sign-in page in the browser here" "open browser" ["ctrl-o"];
    ConnectCopy Connect "connect.copy" "Copy the sign-in address to your clipboard" "copy" ["ctrl-y"];
    ConnectQr Connect "connect.qr" "Show the sign-in address as a QR code" "QR" ["ctrl-q"];
    ConnectDevice Connect "connect.device" "Sign in with a code on another device" "code" ["ctrl-d"];
    ConnectToken Connect "connect.token" "Sign in with a static token" "token" ["ctrl-t"];
    ConnectBrowser Connect "connect.browser" "Sign in by browser or pasted address" "browser" ["ctrl-b"];

    ConfirmStart Confirm "confirm.start" "Start the sync" "start" ["ctrl-s"];
    ConfirmMode Confirm "confirm.mode" "Change the mode" "" [];

    RunCancel Run "run.cancel" "Stop the run" "stop" ["x"];
    RunRetry Run "run.retry" "Try what failed again" "retry" ["r"];

    FormTest Form "form.test" "Send one lead as a test" "test" ["ctrl-t"];
    FormSave Form "form.save" "Save and activate" "activate" ["ctrl-s"];
    FormEdit Form "form.edit" "Edit the payload in $EDITOR" "editor" ["ctrl-x"];

    ColumnHide Columns "column.hide" "Show or hide the column" "hide" ["space"];
    ColumnWider Columns "column.wider" "Wider" "wider" ["right", "l", "+"];
    ColumnNarrower Columns "column.narrower" "Narrower" "narrower" ["left", "h", "-"];
    ColumnField Columns "column.field" "Change what the column holds" "field" ["enter"];

    NextPane Anywhere "pane.next" "Next pane" "next pane" ["tab"];
    PreviousPane Anywhere "pane.previous" "Previous pane" "" ["shift-tab"];
    TabAudience Anywhere "tab.audience" "Audience" "" ["1"];
    TabLists Anywhere "tab.lists" "Lists" "" ["2"];
    TabConnections Anywhere "tab.connections" "Connections" "" ["3"];
    TabWebhooks Anywhere "tab.webhooks" "Webhooks" "" ["4"];
    TabActivity Anywhere "tab.activity" "Activity" "" ["5"];
    OpenFile Anywhere "file.open" "Open a file of leads" "" ["ctrl-o"];
    Palette Anywhere "palette" "Find a command" "commands" ["ctrl-p", ":"];
    Help Anywhere "help" "Help" "help" ["?", "f1"];
    Dismiss Anywhere "dismiss" "Close what is on top, or dismiss the notice" "" ["esc"];
    Redraw Anywhere "redraw" "Draw the screen anew" "" ["ctrl-l"];
    Suspend Anywhere "suspend" "Put leadferry in the background of the shell" "" ["ctrl-z"];
    Quit Anywhere "quit" "Quit" "" ["q", "ctrl-c"];
}

impl Cmd {
    /// Its row of the table.
    pub fn row(self) -> &'static Command {
        &COMMANDS[self as usize]
    }
}

/// The command of a key at a place; what works anywhere comes last.
pub fn find(place: Place, key: Key) -> Option<Cmd> {
    let name = key.to_string();
    let of = |place| COMMANDS.iter().find(|row| row.place == place && row.keys.contains(&name.as_str()));
    of(place).or_else(|| of(Place::Anywhere)).map(|row| row.cmd)
}

/// Whether a key is a command of this very place, so that a text field there leaves it alone.
pub fn is_own(place: Place, key: Key) -> bool {
    find(place, key).is_some_and(|cmd| cmd.row().place == place)
}

/// The commands that can be given at a place, its own first.
pub fn at(place: Place) -> impl Iterator<Item = &'static Command> {
    let own = COMMANDS.iter().filter(move |row| row.place == place);
    own.chain(COMMANDS.iter().filter(move |row| row.place == Place::Anywhere && place != Place::Anywhere))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_key_of_the_table_is_a_key_and_means_one_thing_at_its_place() {
        for row in COMMANDS {
            for key in row.keys {
                let parsed: Key = key.parse().unwrap_or_else(|_| panic!("{}: {key}", row.name));
                assert_eq!(find(row.place, parsed), Some(row.cmd), "{key} at {:?} is taken twice", row.place);
            }
        }
    }

    #[test]
    fn rows_stand_where_their_number_says() {
        for row in COMMANDS {
            assert_eq!(row.cmd.row().name, row.name);
        }
    }
}
