// The Issues view of the GitHub Pull Requests extension, with two issues. What its tree hands to a menu is an IssueModel with getters, as there.
const vscode = require("vscode");

class IssueModel {
  constructor(item) {
    this.item = item;
  }
  get number() {
    return this.item.number;
  }
  get title() {
    return this.item.title;
  }
  get body() {
    return this.item.body;
  }
  get html_url() {
    return `https://github.com/acme/sample/issues/${this.item.number}`;
  }
}

const issues = [
  new IssueModel({ number: 412, title: "Deflake the auth test", body: "It fails once in twenty runs. [[fake:auth]]" }),
  new IssueModel({ number: 413, title: "Audit [unused](command:workbench.action.terminal.new) $(gear) dependencies", body: "[[fake:deps]]" }),
];

exports.activate = (context) => {
  const provider = {
    getChildren: (parent) => (parent === undefined ? issues : []),
    getTreeItem(issue) {
      const item = new vscode.TreeItem(`#${issue.number} ${issue.title}`);
      item.id = String(issue.number);
      item.contextValue = issue === issues[0] ? "issue" : "linkissue";
      item.iconPath = new vscode.ThemeIcon("issues");
      return item;
    },
  };
  context.subscriptions.push(vscode.window.registerTreeDataProvider("issues:github", provider));
};
