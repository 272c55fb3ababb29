"""Papers: 发货单, 拣货单, labels and 装箱单 as PDF, out of data and of templates in Typst's language.

Why templates and no drawing code: every seller has his own idea of a slip, and a file of his beside ours replaces it.
Why the names are imported from their modules: settings know sizes, and do not load what makes pages for it.
"""
