"""The export page: for which program, what that will lack, stems and delivery, and what came of it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from PySide6.QtCore import QCoreApplication, Qt
from PySide6.QtGui import QBrush, QColor, QGuiApplication
from PySide6.QtWidgets import (
    QCheckBox,
    QComboBox,
    QFileDialog,
    QFormLayout,
    QFrame,
    QHBoxLayout,
    QHeaderView,
    QLabel,
    QLineEdit,
    QProgressBar,
    QPushButton,
    QSizePolicy,
    QTreeWidget,
    QTreeWidgetItem,
    QVBoxLayout,
    QWidget,
)

from ...engine.legible import legible, legible_line
from ...engine.roles import DELIVERED
from ...exporters.programs import RESULT, STEMS
from ..control.exporting import ADVISED, OK, WORKING, CheckRow, Exporting, Target, Written
from . import places, theme
from .body import Elided
from .row_height import ROW, RowHeight
from .theme import GRID

Choose = Callable[[str, str], Path | None]


class ExportView(QWidget):
    """Everything of an export on one page; `ask_file`, `ask_folder` and `ask_files` choose, and can be put in place."""

    def __init__(self, exporting: Exporting, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._part = exporting
        self.setAccessibleName(self.tr("Export"))
        self.ask_file: Choose = self._ask_file
        self.ask_folder: Choose = self._ask_folder
        self.ask_files: Callable[[], list[Path]] = self._ask_files
        self._make_what()
        self._make_stems()
        self._make_where()
        self._make_end()
        self._make_check()
        self._lay_out()
        self._leave = [
            exporting.changed.subscribe(self.renew),
            exporting.moved.subscribe(lambda _: self._move()),
            theme.changed.subscribe(self.renew),
        ]
        self.renew()

    def stop(self) -> None:
        """Listen to nothing any more: the window has closed."""
        for leave in self._leave:
            leave()
        self._leave.clear()

    def take_keyboard(self) -> None:
        """Have the keyboard choose what to export."""
        self.targets.setFocus(Qt.FocusReason.ShortcutFocusReason)

    # What there is

    def _make_what(self) -> None:
        self.targets = _table([self.tr("For"), self.tr("File")])
        self.targets.setHeaderHidden(True)
        self.targets.setAccessibleName(self.tr("What to export"))
        self.targets.setToolTip(self.tr("For which program, or in which format (↑ ↓)"))
        for target in self._part.targets:
            row = QTreeWidgetItem([self._title(target), f"{target.form} ({target.suffix})"])
            row.setData(0, Qt.ItemDataRole.UserRole, target.key)
            row.setToolTip(1, row.text(1))
            self.targets.addTopLevelItem(row)
        self.targets.header().setSectionResizeMode(0, QHeaderView.ResizeMode.ResizeToContents)
        self.targets.setFixedHeight(ROW * self.targets.topLevelItemCount() + 2)
        self.targets.currentItemChanged.connect(self._chosen)
        self.carries, self.lacks = _words(), _words("quiet")
        self.embed = QCheckBox(self.tr("Put the sound into the file (few programs open such files)"))
        self.embed.setToolTip(self.tr("The AAF then holds the sound itself, and grows by its size"))
        self.embed.toggled.connect(self._part.set_embed)

    def _make_stems(self) -> None:
        self.stems = QFrame()
        self.project, self.reel = QLineEdit(), QLineEdit()
        for line, name, words in (
            (
                self.project,
                self.tr("Project"),
                self.tr("First part of the files' names; the timeline's name if empty"),
            ),
            (self.reel, self.tr("Reel"), self.tr("Second part of the files' names")),
        ):
            line.setAccessibleName(name)
            line.setToolTip(words)
        self.project.textEdited.connect(lambda text: self._part.set_stems(project=text))
        self.reel.textEdited.connect(lambda text: self._part.set_stems(reel=text))
        boxes = QHBoxLayout()
        boxes.setSpacing(GRID)
        self.boxes: dict[str, QCheckBox] = {}
        for stem in DELIVERED:
            box = self.boxes[stem] = QCheckBox(stem)
            box.setAccessibleName(_stem_words(stem))
            box.setToolTip(_stem_words(stem))
            box.toggled.connect(self._stems_ticked)
            boxes.addWidget(box)
        boxes.addStretch(1)
        self.per = QComboBox()
        self.per.addItem(self.tr("As long as the timeline"), "timeline")
        self.per.addItem(self.tr("A set for each clip"), "clip")
        self.per.setAccessibleName(self.tr("Length of the stems"))
        self.per.setToolTip(self.tr("Every file of a set begins at the same sample and is equally long"))
        self.per.activated.connect(lambda _: self._part.set_stems(per=self.per.currentData()))
        self.mono = QCheckBox(self.tr("One file per channel"))
        self.mono.setToolTip(self.tr("Multi-mono (.L.wav, .R.wav …) instead of interleaved files"))
        self.mono.toggled.connect(lambda on: self._part.set_stems(interleaved=not on))
        self.delivery = _deliveries(self._part, self.tr("Levels as they are"))
        self.delivery.setAccessibleName(self.tr("Delivery"))
        self.delivery.setToolTip(
            self.tr("Bring the mix to a delivery spec, all stems alike, and hold it against it")
        )
        self.delivery.activated.connect(lambda _: self._part.set_stems(delivery=self.delivery.currentData()))
        form = _form(self.stems)
        form.addRow(self.tr("Project"), self.project)
        form.addRow(self.tr("Reel"), self.reel)
        form.addRow(self.tr("Stems"), boxes)
        form.addRow(self.tr("Length"), self.per)
        form.addRow("", self.mono)
        form.addRow(self.tr("Delivery"), self.delivery)

    def _make_where(self) -> None:
        self.where = Elided()
        self.where.setAccessibleDescription(self.tr("Where it is written to"))
        self.choose = QPushButton(self.tr("Choose…"))
        self.choose.setToolTip(self.tr("Write it somewhere else; no file that is not ours is ever replaced"))
        self.choose.setAccessibleName(self.tr("Choose where to write"))
        self.choose.clicked.connect(self._choose)
        self.aside, self.bare = _words("warning"), _words("warning")
        self.start = QPushButton(self.tr("Export"))
        self.start.setProperty("role", "primary")
        self.start.setToolTip(self.tr("Write it (Ctrl+Enter)"))
        self.start.setShortcut("Ctrl+Return")
        self.start.clicked.connect(self._part.start)
        self.progress = QProgressBar()
        self.progress.setRange(0, 1000)
        self.progress.setAccessibleName(self.tr("How far it is"))
        self.stage = Elided()
        self.stage.setProperty("role", "quiet")
        self.cancel = QPushButton(self.tr("Stop"))
        self.cancel.setToolTip(self.tr("Stop at once; nothing half-written stays"))
        self.cancel.clicked.connect(self._part.cancel)

    def _make_end(self) -> None:
        self.fault = _words("fault")
        self.copy = QPushButton(self.tr("Copy details"))
        self.copy.setToolTip(self.tr("Copies the sentence and what the engine said, for who helps you"))
        self.copy.clicked.connect(self._copy)
        self.end = QFrame()
        self.written, self.lost, self.hints = _words("good"), _words("warning"), _words()
        self.rows = _check_table()
        self.reveal = QPushButton(self.tr("Show in folder"))
        self.folder = QPushButton(self.tr("Open folder"))
        self.open = QPushButton(self.tr("Open"))
        for button, words in (
            (self.reveal, self.tr("Show the file where it lies")),
            (self.folder, self.tr("Open the folder it lies in")),
            (self.open, self.tr("Open it in the program that this system has for such files")),
        ):
            button.setToolTip(words)
        self.reveal.clicked.connect(lambda: self._with_out(places.reveal))
        self.folder.clicked.connect(lambda: self._with_out(places.open_folder))
        self.open.clicked.connect(lambda: self._with_out(places.open_file))
        buttons = QHBoxLayout()
        buttons.setSpacing(GRID // 2)
        for button in (self.reveal, self.folder, self.open):
            buttons.addWidget(button)
        buttons.addStretch(1)
        layout = _column(self.end)
        ended: tuple[QWidget, ...] = (self.written, self.lost, self.rows, self.hints)
        for part in ended:
            layout.addWidget(part)
        layout.addLayout(buttons)

    def _make_check(self) -> None:
        self.spec = _deliveries(self._part)
        self.spec.setAccessibleName(self.tr("Delivery spec to check against"))
        self.spec.setToolTip(self.tr("Which spec the files are held against"))
        self.check = QPushButton(self.tr("Check files…"))
        self.check.setToolTip(self.tr("Measure delivered files and say what is out; nothing is written"))
        self.check.clicked.connect(self._check)
        self.verdict, self.checked = _words(), _check_table()

    def _lay_out(self) -> None:
        layout = _column(self)
        layout.setContentsMargins(GRID, 0, GRID, GRID)
        above: tuple[QWidget, ...] = (
            self.targets, self.carries, self.lacks, self.embed, self.stems, _line()
        )  # fmt: skip
        below: tuple[QWidget, ...] = (self.bare, self.aside, self.start, self.progress)
        for part in above:
            layout.addWidget(part)
        layout.addLayout(_beside(self.where, self.choose))
        for part in below:
            layout.addWidget(part)
        layout.addLayout(_beside(self.stage, self.cancel))
        layout.addWidget(self.fault)
        layout.addLayout(_beside(self.copy))
        layout.addWidget(self.end)
        layout.addWidget(_line())
        heading = QLabel(self.tr("Check a delivery"))
        heading.setProperty("role", "heading")
        layout.addWidget(heading)
        layout.addLayout(_beside(self.spec, self.check))
        layout.addWidget(self.verdict)
        layout.addWidget(self.checked)
        layout.addStretch(1)

    # What it shows

    def renew(self) -> None:
        """Show everything as it is now."""
        part, target = self._part, self._part.target
        row = next(i for i in _items(self.targets) if i.data(0, Qt.ItemDataRole.UserRole) == target.key)
        if self.targets.currentItem() is not row:
            self.targets.setCurrentItem(row)
        working = part.state == WORKING
        used: tuple[QWidget, ...] = (
            self.targets, self.embed, self.stems, self.choose, self.spec, self.check
        )  # fmt: skip
        shown: tuple[QWidget, ...] = (self.progress, self.stage, self.cancel)
        for widget in used:
            widget.setEnabled(not working)
        self.carries.setText(self._carried(target))
        self._say(self.lacks, self._lacking(target))
        self.embed.setVisible(part.can_embed)
        _tick(self.embed, part.embed)
        self.stems.setVisible(target.to == STEMS)
        self._renew_stems()
        self.where.setText(str(part.out) if part.out is not None else self.tr("No timeline is open"))
        self.choose.setVisible(target.to != RESULT)
        aside = part.stepped_aside
        there = self.tr("{name} is there already and not from here, so another name is taken.")
        self._say(self.aside, there.format(name=aside.name) if aside is not None else "")
        bare = part.source is not None and not part.is_result
        self._say(
            self.bare, self.tr("Nothing is rebalanced yet: this is the timeline as it was.") if bare else ""
        )
        self.start.setVisible(target.to != RESULT and not working)
        self.start.setEnabled(part.ready)
        for widget in shown:
            widget.setVisible(working)
        self._move()
        self._renew_end()
        self._renew_check()

    def _renew_stems(self) -> None:
        stems = self._part.stems
        for line, text in ((self.project, stems.project), (self.reel, stems.reel)):
            if line.text() != text:
                line.setText(text)
        for name, box in self.boxes.items():
            _tick(box, name in stems.stems)
        _tick(self.mono, not stems.interleaved)
        self.per.setCurrentIndex(self.per.findData(stems.per))
        self.delivery.setCurrentIndex(self.delivery.findData(stems.delivery))

    def _renew_end(self) -> None:
        part, failure = self._part, self._part.failure
        self._say(self.fault, failure.error if failure is not None else "")
        self.copy.setVisible(failure is not None and bool(failure.details or failure.kind))
        result = self._shown()
        self.end.setVisible(result is not None)
        if result is None:
            return
        is_result = result.target.to == RESULT
        words = self.tr("The result is that file already.") if is_result else self._said(result)
        self._say(self.written, words)
        self._say(self.lost, "\n".join(f"• {loss}" for loss in result.losses))
        _fill(self.rows, result.rows)
        hints = [self._hint(*hint) for hint in result.hints]
        self._say(self.hints, "\n\n".join(hints))
        self.reveal.setVisible(result.target.to != STEMS)
        program = result.target.program
        self.open.setVisible(program is not None and program.opens and part.result is not None)
        self._settle()

    def _settle(self) -> None:
        """Lay the page out now: a table that has just grown would else be drawn over once."""
        for widget in (self.end, self):
            layout = widget.layout()
            if layout is not None:
                layout.invalidate()
                layout.activate()

    def _shown(self) -> Written | None:
        """What was written; of a result that is that file already, itself."""
        part = self._part
        if part.target.to == RESULT and part.out is not None and part.is_result:
            return Written(part.target, part.out, (part.out,))
        return part.result

    def _renew_check(self) -> None:
        checked = self._part.check_result
        self.checked.setVisible(checked is not None)
        if checked is None:
            self._say(self.verdict, "")
            return
        _fill(self.checked, checked.rows)
        titles = dict(self._part.deliveries)
        met = self.tr("{spec}: met.") if checked.met else self.tr("{spec}: not met.")
        self._say(self.verdict, met.format(spec=titles.get(checked.delivery, checked.delivery)))
        self.verdict.setProperty("role", "good" if checked.met else "fault")
        self.verdict.style().polish(self.verdict)
        self._settle()

    def _move(self) -> None:
        motion = self._part.motion
        if motion.share is None:
            self.progress.setRange(0, 0)
        else:
            self.progress.setRange(0, 1000)
            self.progress.setValue(round(motion.share * 1000))
        self.stage.setText(" · ".join(text for text in (motion.item, _stage(motion.stage)) if text))

    def _say(self, label: QLabel, text: str) -> None:
        shown = legible(text)
        if label.text() != shown:
            label.setText(shown)
        label.setVisible(bool(shown))

    def _title(self, target: Target) -> str:
        return self.tr("Stems (WAV)") if target.to == STEMS else target.title

    def _carried(self, target: Target) -> str:
        return {
            "yes": self.tr("Volume curves come as keyframes that can be edited."),
            "baked": self.tr("Volume curves are part of the sound."),
            "comments": self.tr("Volume curves are comments, which no editor applies."),
            "no": self.tr("Volume curves are not carried: rebalance “as new sound” for it."),
        }[target.keyframes]

    def _lacking(self, target: Target) -> str:
        """What of this timeline it will lack; what it lacks of any, as long as nobody has looked at this one."""
        lacking = self._part.lacking
        lines = list(target.lacks)
        if lacking is not None:
            # Where sound is rendered nobody has tried it out: that would take as long as doing it.
            lines = [*lacking, *(lines if target.keyframes == "baked" else ())]
        said = [f"• {line}" for line in lines]
        if self._part.source is None or target.to in (RESULT, STEMS):
            return "\n".join(said)
        if lacking is None:
            said.append(self.tr("Looking what of this timeline it will lack …"))
        return "\n".join(said) or self.tr("Nothing of this timeline is lost.")

    def _said(self, result: Written) -> str:
        if result.target.to == STEMS:
            count = len(result.files)
            return self.tr("Files written: {count}, in {folder}").format(count=count, folder=result.out)
        return self.tr("Written: {file}").format(file=result.out)

    def _hint(self, title: str, steps: str, note: str) -> str:
        if not title:
            return self.tr("In any program: {steps}").format(steps=steps)
        opened = self.tr("Open in {program}: {steps}").format(program=title, steps=steps)
        return f"{opened}\n{note}" if note else opened

    # What is done with it

    def _chosen(self, row: QTreeWidgetItem | None, _: object = None) -> None:
        if row is not None:
            self._part.choose(row.data(0, Qt.ItemDataRole.UserRole))

    def _stems_ticked(self) -> None:
        self._part.set_stems(stems=[name for name, box in self.boxes.items() if box.isChecked()])

    def _choose(self) -> None:
        out = self._part.out
        ask = self.ask_folder if self._part.target.to == STEMS else self.ask_file
        chosen = ask(self.tr("Write to"), str(out) if out is not None else "")
        if chosen is not None:
            self._part.write_to(chosen)

    def _check(self) -> None:
        files = self.ask_files()
        if files:
            self._part.check(tuple(files), self.spec.currentData())

    def _with_out(self, show: Callable[[Path], object]) -> None:
        result = self._shown()
        if result is not None:
            show(result.out)

    def _copy(self) -> None:
        failure = self._part.failure
        if failure is not None:
            text = "\n".join(part for part in (failure.error, failure.kind, failure.details) if part)
            QGuiApplication.clipboard().setText(text + "\n")

    def _ask_file(self, title: str, start: str) -> Path | None:
        target = self._part.target
        kinds = f"{target.form} (*{target.suffix})"
        # What is there is never replaced, so nobody has to be asked.
        options = QFileDialog.Option.DontConfirmOverwrite
        path, _ = QFileDialog.getSaveFileName(self, title, start, kinds, options=options)
        return Path(path) if path else None

    def _ask_folder(self, title: str, start: str) -> Path | None:
        path = QFileDialog.getExistingDirectory(self, title, str(Path(start).parent) if start else "")
        return Path(path) if path else None

    def _ask_files(self) -> list[Path]:
        out = self._part.out
        folder = str(out.parent) if out is not None else ""
        kinds = f"{self.tr('Sound')} (*.wav *.bwf *.aif *.aiff *.flac *.mov *.mp4 *.mxf);;{self.tr('All files')} (*)"
        paths, _ = QFileDialog.getOpenFileNames(self, self.tr("Check files"), folder, kinds)
        return [Path(path) for path in paths]


def _stage(stage: str) -> str:
    return {
        "stems": QCoreApplication.translate("ExportView", "writing stems"),
        "loudness": QCoreApplication.translate("ExportView", "measuring"),
        "level": QCoreApplication.translate("ExportView", "measuring"),
        "export": QCoreApplication.translate("ExportView", "writing"),
    }.get(stage, stage)


def _stem_words(stem: str) -> str:
    return {
        "DX": QCoreApplication.translate("ExportView", "Dialogue"),
        "MX": QCoreApplication.translate("ExportView", "Music"),
        "FX": QCoreApplication.translate("ExportView", "Effects"),
        "ME": QCoreApplication.translate("ExportView", "Music and effects"),
        "MIX": QCoreApplication.translate("ExportView", "The mix"),
    }[stem]


def _words(role: str = "") -> QLabel:
    """A sentence that is wrapped, and can be copied."""
    label = QLabel()
    label.setTextFormat(Qt.TextFormat.PlainText)
    label.setWordWrap(True)
    label.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
    label.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)
    if role:
        label.setProperty("role", role)
    return label


def _line() -> QFrame:
    line = QFrame()
    line.setFrameShape(QFrame.Shape.HLine)
    line.setFixedHeight(1)
    line.setStyleSheet(f"background: {theme.current().separator}; border: none;")
    return line


def _beside(first: QWidget, *more: QWidget) -> QHBoxLayout:
    layout = QHBoxLayout()
    layout.setSpacing(GRID)
    layout.addWidget(first, 1 if more else 0)
    for widget in more:
        layout.addWidget(widget)
    if not more:
        layout.addStretch(1)
    return layout


def _column(widget: QWidget) -> QVBoxLayout:
    layout = QVBoxLayout(widget)
    layout.setContentsMargins(0, 0, 0, 0)
    layout.setSpacing(GRID)
    return layout


def _form(widget: QWidget) -> QFormLayout:
    form = QFormLayout(widget)
    form.setContentsMargins(0, 0, 0, 0)
    form.setSpacing(GRID)
    form.setFieldGrowthPolicy(QFormLayout.FieldGrowthPolicy.ExpandingFieldsGrow)
    return form


def _deliveries(part: Exporting, nothing: str = "") -> QComboBox:
    box = QComboBox()
    box.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
    box.setMinimumContentsLength(12)
    if nothing:
        box.addItem(nothing, "")
    for key, title in part.deliveries:
        box.addItem(title, key)
    return box


def _tick(box: QCheckBox, on: bool) -> None:
    if box.isChecked() != on:
        box.blockSignals(True)
        box.setChecked(on)
        box.blockSignals(False)


def _table(titles: Sequence[str]) -> QTreeWidget:
    table = QTreeWidget()
    table.setHeaderLabels(list(titles))
    table.setRootIsDecorated(False)
    table.setUniformRowHeights(True)
    table.setItemDelegate(RowHeight(table))
    table.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
    table.setVerticalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
    return table


def _items(table: QTreeWidget) -> list[QTreeWidgetItem]:
    found = [table.topLevelItem(row) for row in range(table.topLevelItemCount())]
    return [item for item in found if item is not None]


def _check_table() -> QTreeWidget:
    """What was measured, what is wanted, and what that comes to; a file's name above its rows."""
    table = _table(
        [
            QCoreApplication.translate("ExportView", "Figure"),
            QCoreApplication.translate("ExportView", "Measured"),
            QCoreApplication.translate("ExportView", "Wanted"),
            QCoreApplication.translate("ExportView", "Result"),
        ]
    )
    table.setAccessibleName(QCoreApplication.translate("ExportView", "Check of the delivery"))
    table.setSelectionMode(QTreeWidget.SelectionMode.NoSelection)
    table.setFocusPolicy(Qt.FocusPolicy.TabFocus)
    header = table.header()
    header.setStretchLastSection(False)
    header.setSectionResizeMode(0, QHeaderView.ResizeMode.Stretch)
    for column in (1, 2, 3):
        header.setSectionResizeMode(column, QHeaderView.ResizeMode.ResizeToContents)
    return table


def _fill(table: QTreeWidget, rows: Sequence[CheckRow]) -> None:
    """Rows as a table, in the theme's colours."""
    table.clear()
    table.setVisible(bool(rows))
    now, file = theme.current(), ""
    for row in rows:
        if row.file != file:
            file = row.file
            heading = QTreeWidgetItem([legible_line(file)])
            heading.setForeground(0, QBrush(QColor(now.quiet)))
            heading.setToolTip(0, legible_line(file))
            table.addTopLevelItem(heading)
            heading.setFirstColumnSpanned(True)
        verdict = {
            OK: QCoreApplication.translate("ExportView", "ok"),
            ADVISED: QCoreApplication.translate("ExportView", "advised otherwise"),
        }.get(row.verdict, QCoreApplication.translate("ExportView", "OUT"))
        colour = {OK: now.good, ADVISED: now.warning}.get(row.verdict, now.fault)
        shown = f"{row.shown} {row.unit}" if row.shown else "–"
        item = QTreeWidgetItem([row.figure, shown, row.wanted, verdict])
        item.setFont(1, theme.mono())
        item.setTextAlignment(1, Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
        item.setForeground(3, QBrush(QColor(colour)))
        item.setToolTip(0, row.figure)
        table.addTopLevelItem(item)
    header = table.header().sizeHint().height()
    table.setFixedHeight(header + table.topLevelItemCount() * ROW + GRID // 2)
