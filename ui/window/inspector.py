"""The column of settings: one row each, presets, what the job will do, and the one button that does it."""

from __future__ import annotations

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import (
    QFrame,
    QLabel,
    QPushButton,
    QScrollArea,
    QSizePolicy,
    QVBoxLayout,
    QWidget,
)

from ...plugin.jobs.settings import GROUPS
from ..control.options import OFFERED, Options
from ..control.planning import EMPTY, Planning
from ..control.presets import Presets
from . import icons, theme, words
from .fields import Cut, Divider, Wrapped, until_gone
from .preset_bar import PresetBar
from .rows import Row, row_for

PREVIEW_KEY, REBALANCE_KEY = "P", "Enter"


class Inspector(QFrame):
    """What the next job does to the sound. `rebalance` and `preview` tell that their buttons were pressed.

    As a column of its own it is all there; `set_narrow` folds the settings into one line that opens them.
    """

    rebalance = Signal()
    preview = Signal()

    def __init__(self, options: Options, presets: Presets, planning: Planning) -> None:
        super().__init__()
        self._options, self._planning = options, planning
        self.setProperty("role", "panel")
        self.setObjectName("inspector")
        self.setAccessibleName(self.tr("Rebalance"))
        self.presets = PresetBar(presets, options)
        self.rows: dict[str, Row] = {}
        self.fold = _fold()
        self.fold.clicked.connect(self._folded)
        self.advanced = _fold()
        self.advanced.set_words(self.tr("Advanced"))
        self.advanced.clicked.connect(self._folded)
        self._more = QWidget()
        self.body = self._made_body()
        self._foot = self._made_foot()
        self._narrow = False
        self._preview_reason = ""
        top = QVBoxLayout(self)
        top.setContentsMargins(0, 0, 0, 0)
        top.setSpacing(0)
        top.addWidget(self.fold)
        top.addWidget(self.body, 1)
        top.addWidget(self._foot)
        until_gone(
            self,
            options.changed.subscribe(self._changed),
            options.marked.subscribe(self._sum_up),
            options.offered.subscribe(self._changed),
            planning.changed.subscribe(self._planned),
            theme.changed.subscribe(self._measure),
        )
        for row in dict.fromkeys(self.rows.values()):
            row.renew()
        self._folded()
        self._planned()
        self._sum_up()
        self._measure()

    def set_narrow(self, narrow: bool) -> None:
        """Be a line that can be opened, or a column."""
        self._narrow = narrow
        self._measure()
        self._folded()

    @property
    def narrow(self) -> bool:
        """Whether it is folded into a line, open or not."""
        return self._narrow

    def set_preview(self, reason: str) -> None:
        """Say why there can be no preview now; "" where there can."""
        self._preview_reason = reason
        self._planned()

    def show_row(self, name: str) -> None:
        """Open what is folded, and put the keyboard on a setting."""
        row = self.rows[name]
        if row.setting.advanced:
            self.advanced.setChecked(True)
        self.fold.setChecked(True)
        self._folded()
        row.setFocus(Qt.FocusReason.OtherFocusReason)
        self.body.ensureWidgetVisible(row)

    def _made_body(self) -> QScrollArea:
        inside = QWidget()
        column = QVBoxLayout(inside)
        column.setContentsMargins(2 * theme.GRID, theme.GRID, theme.GRID, theme.GRID)
        column.setSpacing(theme.GRID)
        column.addWidget(self.presets)
        column.addWidget(Divider())
        more = QVBoxLayout(self._more)
        more.setContentsMargins(0, 0, 0, 0)
        more.setSpacing(theme.GRID)
        self._fill(column, advanced=False)
        column.addWidget(self.advanced)
        self._fill(more, advanced=True)
        column.addWidget(self._more)
        column.addStretch(1)
        area = QScrollArea()
        area.setWidget(inside)
        area.setWidgetResizable(True)
        area.setFrameShape(QFrame.Shape.NoFrame)
        area.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        area.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        return area

    def _fill(self, column: QVBoxLayout, *, advanced: bool) -> None:
        """Add a row for each setting, group by group, with a line after every group."""
        for group in GROUPS:
            rows = [
                row
                for setting in OFFERED
                if (setting.group, setting.advanced) == (group, advanced)
                and (row := row_for(self._options, setting)) is not None
            ]
            for row in rows:
                column.addWidget(row)
                self.rows |= dict.fromkeys(row.names, row)
            if rows and not advanced:
                column.addWidget(Divider())

    def _made_foot(self) -> QWidget:
        foot = QWidget()
        column = QVBoxLayout(foot)
        column.setContentsMargins(2 * theme.GRID, theme.GRID, 2 * theme.GRID, 2 * theme.GRID)
        column.setSpacing(theme.GRID)
        self.outlook = QLabel()
        self.outlook.setWordWrap(True)
        self.outlook.setTextFormat(Qt.TextFormat.PlainText)
        self.outlook.setProperty("role", "quiet")
        self.outlook.setAccessibleName(self.tr("What it will do"))
        self.preview_button = QPushButton(self.tr("Preview here"))
        self.preview_button.clicked.connect(self.preview)
        self.button = QPushButton(self.tr("Rebalance audio"))
        self.button.setProperty("role", "primary")
        self.button.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.button.clicked.connect(self.rebalance)
        self.preview_note = Wrapped("quiet")
        column.addWidget(self.preview_button)
        column.addWidget(self.preview_note)
        column.addWidget(self.outlook)
        column.addWidget(self.button)
        return foot

    def _changed(self, name: str) -> None:
        row = self.rows.get(name)
        if row is not None:
            row.renew()
        if name == "model" and "context" in self.rows:
            self.rows["context"].renew()  # what a model can be told of the picture
        self._sum_up()

    def _sum_up(self) -> None:
        summary = words.summary(self._options)
        self.fold.set_words(summary)
        self.fold.setAccessibleName(self.tr("Settings: {summary}").format(summary=summary))
        self.fold.setToolTip(self.tr("Open or fold the settings"))
        changed = sum(
            row.setting.advanced and any(map(self._options.differs, row.names)) for row in self._rows
        )
        title = self.tr("Advanced")
        self.advanced.set_words(title if not changed else self.tr("Advanced · {n} changed").format(n=changed))
        self.advanced.setAccessibleName(self.advanced.words)

    def _measure(self) -> None:
        """Have one width for all labels, and be no narrower than the rows, in the type of the moment."""
        label = max(row.label_width for row in self._rows)
        for row in self._rows:
            row.measure(label)
        self.presets.title.setFixedWidth(label)
        least = max(row.least_width for row in self._rows)
        beside = 3 * theme.GRID + self.body.verticalScrollBar().sizeHint().width() + 2
        self.setMinimumWidth(0 if self._narrow else least + beside)

    @property
    def _rows(self) -> list[Row]:
        return list(dict.fromkeys(self.rows.values()))

    def _folded(self) -> None:
        self.fold.setVisible(self._narrow)
        self.body.setVisible(not self._narrow or self.fold.isChecked())
        self._more.setVisible(self.advanced.isChecked())
        for fold in (self.fold, self.advanced):
            fold.setIcon(icons.icon("down" if fold.isChecked() else "right", "quiet"))

    def _planned(self) -> None:
        why, found = self._planning.blocked, self._planning.outlook
        if why == EMPTY and self._preview_reason:  # it knows better why nothing is open yet
            told = self._preview_reason
        elif why:
            told = words.blocked(why)
        elif found is None:
            told = self.tr("Looking at what there is to do …")
        else:
            told = words.outlook(found)
        self.outlook.setText(told)
        self.button.setEnabled(not why)
        doubts = "\n".join(found.doubts) if found is not None and not why else ""
        tip = self.tr("{name} ({key})").format(name=self.tr("Rebalance audio"), key=REBALANCE_KEY)
        self.button.setToolTip("\n".join(filter(None, (tip, told, doubts))))
        self.button.setAccessibleDescription(told)
        reason = self._preview_reason or (words.blocked(why) if why else "")
        self.preview_button.setEnabled(not reason)
        tip = self.tr("Hear the region around the playhead first ({key})").format(key=PREVIEW_KEY)
        self.preview_button.setToolTip("\n".join(filter(None, (tip, reason))))
        self.preview_button.setAccessibleDescription(reason)
        self.preview_note.say("" if reason == told else reason)


def _fold() -> Cut:
    button = Cut()
    button.setCheckable(True)
    button.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextBesideIcon)
    return button
